"""What the model writes where no script tells it to."""

import re
import zlib
from typing import Any

import msgspec

from .contract import Chat, Fim, Tool, ToolChoice
from .instances import instance
from .tokens import BYTES_PER_TOKEN, tokens

WORD = re.compile(r"\w+")

THINKS = ("low", "medium", "high", "xhigh")


def choice(asked: Chat) -> dict[str, Any]:
    """One choice of a completion: tool calls where they are wanted, else a content."""
    if calls := _tool_calls(asked):
        message = {"role": "assistant", "content": "", "tool_calls": calls}
        return {"index": 0, "finish_reason": "tool_calls", "message": message}
    return spoken(asked, _text(asked))


def spoken(asked: Chat, text: str) -> dict[str, Any]:
    """A choice that says `text`, as far as the request lets it."""
    text, reason = stopped(text, asked.stop, asked.max_tokens)
    content: Any = text
    if asked.reasoning_effort in THINKS:
        thought = {"type": "text", "text": "Let me look at the question first."}
        thinking = {"type": "thinking", "thinking": [thought], "closed": True}
        content = [thinking, {"type": "text", "text": text}]
    elif cited := _cited(asked):
        content = [{"type": "text", "text": text}, {"type": "reference", "reference_ids": cited}]
    message = {"role": "assistant", "content": content, "tool_calls": None}
    return {"index": 0, "finish_reason": reason, "message": message}


def stopped(text: str, stop: str | list[str] | None, limit: int | None) -> tuple[str, str]:
    """The text up to the first stop word, or to so many tokens; and why it ends."""
    words = [stop] if isinstance(stop, str) else stop or []
    ends = [at for word in words if (at := text.find(word)) >= 0]
    text = text[: min(ends)] if ends else text
    if limit is None or tokens(text) <= limit:
        return text, "stop"
    return text.encode()[: max(0, limit - 2) * BYTES_PER_TOKEN].decode(errors="ignore"), "length"


def completed(asked: Fim) -> str:
    """Code between a prompt and a suffix: the last name of the prompt, handed back."""
    names = WORD.findall(asked.prompt)
    return f"return {names[-1] if names else 'None'}\n"


def draft(asked: Chat) -> str | None:
    """The block nearest to the question in words, quoted whole; or that none is near. None where
    no blocks and no question are given."""
    lines = [_object(line) for message in asked.messages for line in message.text().split("\n")]
    blocks = [line for line in lines if "block" in line and "text" in line]
    questions = [line["question"] for line in lines if "question" in line]
    if not (blocks and questions):
        return None
    words = set(WORD.findall(questions[-1].lower()))
    shared = {b["block"]: len(words & set(WORD.findall(b["text"].lower()))) for b in blocks}
    best = max(blocks, key=lambda block: shared[block["block"]])
    evidence = [{"block": best["block"], "quote": best["text"]}]
    claims = [{"text": best["text"], "evidence": evidence}] if shared[best["block"]] else []
    return msgspec.json.encode({"sufficient": bool(claims), "claims": claims}).decode()


def _text(asked: Chat) -> str:
    wanted = asked.response_format
    last = asked.messages[-1].text()
    if isinstance(wanted, msgspec.UnsetType) or wanted.type == "text":
        return f"You said: {' '.join(last.split()[:40])}"
    if (drafted := draft(asked)) is not None:
        return drafted
    if wanted.json_schema is None:
        return msgspec.json.encode({"answer": " ".join(last.split()[:40])}).decode()
    return msgspec.json.encode(instance(wanted.json_schema.definition)).decode()


def _tool_calls(asked: Chat) -> list[dict[str, Any]]:
    """Each tool once, where the last word is a user's and calling is allowed."""
    if not asked.tools or asked.tool_choice == "none" or asked.messages[-1].role == "tool":
        return []
    tools = asked.tools
    if isinstance(asked.tool_choice, ToolChoice):
        wanted = asked.tool_choice.function.name
        tools = [tool for tool in tools if tool.function.name == wanted]
    return [_called(tool) for tool in (tools if asked.parallel_tool_calls else tools[:1])]


def _called(tool: Tool) -> dict[str, Any]:
    arguments = msgspec.json.encode(instance(tool.function.parameters)).decode()
    name = tool.function.name
    number = zlib.crc32(name.encode()) % 10**9
    function = {"name": name, "arguments": arguments}
    return {"id": f"{number:09d}", "type": "function", "function": function}


def _cited(asked: Chat) -> list[int]:
    """Keys of the sources that a tool gave, which are numbers in strings."""
    last = asked.messages[-1]
    sources = _object(last.text()) if last.role == "tool" else {}
    return [int(key) for key in sources if key.isdigit()]


def _object(line: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(line) if line.startswith("{") else {}
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}
