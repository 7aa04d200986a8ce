"""pyright's language server, which is what an editor asks. Source: the Language Server Protocol, 3.17."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any

from type_checkers import Environment, pyright_program

_CAPABILITIES = {
    "workspace": {"configuration": True},
    "textDocument": {
        "hover": {"contentFormat": ["plaintext"]},
        "completion": {"completionItem": {"documentationFormat": ["plaintext"]}},
        "signatureHelp": {"signatureInformation": {"documentationFormat": ["plaintext"]}},
    },
}


@dataclass
class LanguageServer:
    """Answers for a document, at the end of its text."""

    folder: Path
    python: Path
    to: IO[bytes]
    answers: IO[bytes]
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def hover(self, text: str) -> str:
        """What is shown where the pointer rests."""
        return str(self._at_the_end("hover", text, back=1)["contents"]["value"])

    def signature(self, text: str) -> dict[str, Any]:
        """What is shown as a call is typed."""
        (shown,) = self._at_the_end("signatureHelp", text)["signatures"]
        return dict(shown)

    def completions(self, text: str) -> list[str]:
        """What may come next."""
        return [item["label"] for item in self._at_the_end("completion", text)["items"]]

    def _at_the_end(self, what: str, text: str, back: int = 0) -> Any:
        document = {"uri": (self.folder / f"document{next(self.numbers)}.py").as_uri()}
        opened = {**document, "languageId": "python", "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": opened}})
        *_, last = lines = text.split("\n")
        position = {"line": len(lines) - 1, "character": len(last) - back}
        return self.ask(f"textDocument/{what}", {"textDocument": document, "position": position})

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        """The result; what the server asks meanwhile is answered."""
        number = next(self.numbers)
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self._received()
            if "method" not in message:
                assert message["id"] == number, message
                return message["result"]
            if "id" in message:
                self._send({"id": message["id"], "result": self._answer(message)})

    def _answer(self, message: dict[str, Any]) -> Any:
        if message["method"] != "workspace/configuration":
            return None
        python = {"pythonPath": str(self.python)}
        return [python if item.get("section") == "python" else {} for item in message["params"]["items"]]

    def _send(self, message: dict[str, Any]) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.to.write(b"Content-Length: %d\r\n\r\n%b" % (len(data), data))
        self.to.flush()

    def _received(self) -> dict[str, Any]:
        length = 0
        while header := self.answers.readline().strip():
            name, _, value = header.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the language server has ended"
        return dict(json.loads(self.answers.read(length)))


@contextmanager
def language_server(environment: Environment, folder: Path) -> Iterator[LanguageServer]:
    """One that reads the packages of `environment`."""
    program = pyright_program().with_name("langserver.index.js")
    with subprocess.Popen(["node", program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        server = LanguageServer(folder, environment.python, child.stdin, child.stdout)
        root = {"uri": folder.as_uri(), "name": "project"}
        server.ask("initialize", {"processId": None, "capabilities": _CAPABILITIES, "workspaceFolders": [root]})
        server._send({"method": "initialized", "params": {}})  # noqa: SLF001 - a notice, which nobody answers
        try:
            yield server
        finally:
            child.kill()
