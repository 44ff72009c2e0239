"""A web server of files that answers when so many requests wait, for tests of what is in flight together.

Usage: barrier.py DIRECTORY LOG
Prints its port. LOG gets, for each request, how many were in flight, and its path. A request of a path with a key of
DIRECTORY/barriers.json ({TEXT: N}) is answered when N such requests have come; after 20 s it is answered all the same.
"""
import asyncio
import json
import pathlib
import sys
import urllib.parse

top, log = pathlib.Path(sys.argv[1]), open(sys.argv[2], "w", buffering=1, encoding="utf-8")
barriers = {text: [n, 0, None] for text, n in json.loads((top / "barriers.json").read_text()).items()}
flight = 0


async def wait_for(path):
    for text, barrier in barriers.items():
        if text in path:
            barrier[1] += 1
            if barrier[2] is None:
                barrier[2] = asyncio.Event()
            if barrier[1] >= barrier[0]:
                barrier[2].set()
            try:
                await asyncio.wait_for(barrier[2].wait(), 20)
            except asyncio.TimeoutError:
                log.write("late %s\n" % path)


async def serve(reader, writer):
    global flight
    try:
        while line := await reader.readline():
            path = urllib.parse.unquote(line.split()[1].decode())
            while await reader.readline() not in (b"\r\n", b""):
                pass
            flight += 1
            log.write("%d %s\n" % (flight, path))
            await wait_for(path)
            file = top / path.lstrip("/")
            body = file.read_bytes() if file.is_file() else None
            flight -= 1
            writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (b"404 Not Found" if body is None else b"200 OK", len(body or b"")))
            writer.write(body or b"")
            await writer.drain()
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
