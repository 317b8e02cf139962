#!/usr/bin/env python3
"""An OpenAI-compatible chat server that takes its time.

    slow_model_server.py SECONDS

Prints its port, and at its end (SIGTERM) one JSON object: how many calls it answered, how many were under way at once at most, and
when callers hung up before their answer (seconds since 1970).
"""
import asyncio, json, signal, sys, time

from fake_model_server import ANSWER, HEAD

state = {"answered": 0, "now": 0, "most": 0, "hung_up": []}


async def request(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(l.split(b":")[1]) for l in head.split(b"\r\n") if l.lower().startswith(b"content-length")), 0)
    await reader.readexactly(length)


async def serve(reader, writer, wait):
    gone = None
    try:
        while True:
            await (gone or request(reader))
            state["now"] += 1
            state["most"] = max(state["most"], state["now"])
            # Whoever says more before the answer, or nothing more at all, has hung up: nobody pipelines here.
            gone = asyncio.ensure_future(request(reader))
            done, _ = await asyncio.wait([gone], timeout=wait)
            state["now"] -= 1
            if done:
                state["hung_up"].append(time.time())
                await gone
                return
            writer.write(HEAD + ANSWER)
            await writer.drain()
            state["answered"] += 1
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    wait = float(sys.argv[1])
    server = await asyncio.start_server(lambda r, w: serve(r, w, wait), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    print(json.dumps(state), flush=True)


asyncio.run(main())
