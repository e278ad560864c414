"""The parameters of every list."""

from typing import Annotated, TypeAlias

from litestar.params import QueryParameter

Limit: TypeAlias = Annotated[
    int, QueryParameter(ge=1, le=100, description="How many to return, 1 to 100.")
]
After: TypeAlias = Annotated[
    str | None, QueryParameter(description="`next` of the page before; opaque.", max_length=500)
]
DEFAULT_LIMIT = 20
