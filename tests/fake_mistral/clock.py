"""Time that passes when it is asked to."""


class Clock:
    """Waits without waiting, and remembers how long."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
