"""An OpenAI-compatible upstream on a free port, which it prints. What it does hangs on the model
that it is asked for and on what the request brings."""

import http.server
import json
import sys
import time

CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city": "Rome"}'},
}


class Upstream(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        model = request["model"]
        if model == "limited":
            self.send_response(429)
            self.send_header("retry-after", "30")
            self.send_header("content-length", "0")
            self.end_headers()
        elif model == "slow":
            time.sleep(20)
        elif request.get("stream"):
            self.stream(request, breaks=model == "breaks")
        else:
            self.whole(request)

    def whole(self, request):
        calls, text = answer(request)
        message = {"role": "assistant", "content": text}
        if calls:
            message["tool_calls"] = calls
        body = json.dumps(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": request["model"] + "-2026",
                "choices": [
                    {
                        "index": 0,
                        "message": message,
                        "finish_reason": "tool_calls" if calls else "stop",
                    }
                ],
                "usage": usage(text),
            }
        ).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, request, breaks):
        calls, text = answer(request)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        words = text.split(" ") if text else []
        for number, word in enumerate(words):
            if breaks and number == 2:
                return
            self.event(request, {"content": word if number == 0 else " " + word})
            time.sleep(0.05)
        if calls:
            self.event(request, {"tool_calls": [{"index": i, **c} for i, c in enumerate(calls)]})
        self.event(request, {}, "tool_calls" if calls else "stop")
        self.send({"choices": [], "usage": usage(text)})
        self.wfile.write(b"data: [DONE]\n\n")

    def event(self, request, delta, finish=None):
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        self.send({"model": request["model"] + "-2026", "choices": [choice]})

    def send(self, chunk):
        self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        self.wfile.flush()

    def log_message(self, *_):
        pass


def answer(request):
    """The calls of tools and the text of the answer."""
    last = request["messages"][-1]
    if last["role"] == "tool":
        return [], f"The tool says: {last['content']}."
    if request.get("tools"):
        return [CALL], None
    if request.get("response_format"):
        return [], '{"capital": "Paris"}'
    turns = sum(message["role"] == "user" for message in request["messages"])
    if turns > 1:
        return [], f"This is question {turns}."
    return [], "It is certainly Paris, as ever."


def usage(text):
    return {"prompt_tokens": 10, "completion_tokens": len((text or "call").split())}


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
print(server.server_address[1], flush=True)
try:
    server.serve_forever()
except KeyboardInterrupt:
    sys.exit(0)
