#!/usr/bin/env python3
"""An OpenAI-compatible chat server that answers at once, for measuring what lies between two calls.

Speaks HTTP/1.1 with keep-alive and streams two chunks and usage. Prints its port, and at its end (SIGTERM or EOF on
stdin) one JSON object: for each gap between the end of an answer and the arrival of the next request, milliseconds.
"""
import asyncio, json, signal, sys, time

CHUNK = {"id": "x", "object": "chat.completion.chunk", "model": "fake"}
marks = []  # (arrived, answered)


def body():
    events = [
        {**CHUNK, "choices": [{"index": 0, "delta": {"content": "# Document\n\nA short answer. "}, "finish_reason": None}]},
        {**CHUNK, "choices": [{"index": 0, "delta": {"content": "Done.\n"}, "finish_reason": "stop"}]},
        {**CHUNK, "choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 12}},
    ]
    return "".join(f"data: {json.dumps(e)}\n\n" for e in events).encode() + b"data: [DONE]\n\n"


ANSWER = body()
HEAD = (f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {len(ANSWER)}\r\n\r\n").encode()


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((int(l.split(b":")[1]) for l in head.split(b"\r\n") if l.lower().startswith(b"content-length")), 0)
            await reader.readexactly(length)
            arrived = time.perf_counter()
            writer.write(HEAD + ANSWER)
            await writer.drain()
            marks.append((arrived, time.perf_counter()))
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    marks.sort()
    gaps = [1000 * (b[0] - a[1]) for a, b in zip(marks, marks[1:])]
    print(json.dumps({"calls": len(marks), "gaps_ms": [round(g, 3) for g in gaps]}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
