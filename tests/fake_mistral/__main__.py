"""By hand, from the folder `tests`: `python -m fake_mistral --port 8100`."""

import argparse

import uvicorn

from fake_mistral.app import KEY, FakeMistral

parser = argparse.ArgumentParser(description="A provider that speaks Mistral's contract.")
parser.add_argument("--port", type=int, default=8100)
port = parser.parse_args().port
print(f"MISTRAL_API_KEY={KEY} RAG_MISTRAL_BASE_URL=http://127.0.0.1:{port}")
uvicorn.run(FakeMistral().app, port=port, ws="none")
