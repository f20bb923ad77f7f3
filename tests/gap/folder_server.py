"""A server of a model folder that speaks chat completions: `python folder_server.py FOLDER PORT`.

It reads the folder as `--serve-with` servers do. With a third word it misbehaves: ``dies`` ends
before it answers, ``mute`` never answers, ``child`` leaves a process of its own behind.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

from safemark.models.local import load
from safemark.types import Ask, Message


async def _serve(folder: Path) -> web.Application:
    model = load(str(folder), name=folder.name)

    async def models(_request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": folder.name}]})

    async def chat(request: web.Request) -> web.Response:
        body: dict[str, Any] = await request.json()
        turns = tuple(Message(one["role"], one["content"]) for one in body["messages"])
        ask = Ask(
            temperature=body.get("temperature"),
            max_output_tokens=body.get("max_tokens", 64),
            seed=body.get("seed"),
        )
        reply = await model.reply(turns, ask)
        choice = {"index": 0, "message": {"role": "assistant", "content": reply.text}}
        return web.json_response(
            {"model": str(folder), "choices": [{**choice, "finish_reason": "stop"}]}
        )

    app = web.Application()
    app.router.add_get("/v1/models", models)
    app.router.add_post("/v1/chat/completions", chat)
    return app


def main() -> None:
    folder, port, *more = sys.argv[1:]
    if more == ["dies"]:
        sys.exit("no such kernel")
    if more == ["child"]:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(folder, "child").write_text(str(child.pid))
    if more == ["mute"]:
        import time

        time.sleep(600)
    web.run_app(_serve(Path(folder)), host="127.0.0.1", port=int(port), print=None)


if __name__ == "__main__":
    main()
