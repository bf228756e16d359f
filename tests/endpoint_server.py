"""A small OpenAI-compatible server: a process of its own that has a transformers model complete texts over HTTP.

``python endpoint_server.py MODEL_FOLDER`` prints its port. It serves ``/v1/chat/completions`` and ``/v1/completions``. The
first token of a chat reply is the likeliest digit from 0 to 5 and the second a line break (as servers do that
guide what is written); in completions the digits are raised by one constant, so that they are among the likeliest tokens.

``POST /faults`` takes a list of faults, each used up by one request: ``hang`` (no answer as long as the client waits),
``cut`` (the connection breaks), ``garbage`` (an answer that is no JSON), ``words`` (a completion without a score),
``plain`` (completions with nothing raised), a status such as ``429`` or ``429 retry-after 0``, ``kill PID``
(that process dies before the answer), or ``fine``. ``GET /log`` returns how each request ended and what was asked.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RAISE = 30.0


class Model:
    def __init__(self, folder):
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        torch.set_num_threads(1)
        self.torch = torch
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.network = AutoModelForCausalLM.from_pretrained(folder).eval()
        self.lock = threading.Lock()
        self.digits = [self.tokenizer(str(digit))["input_ids"][-1] for digit in range(7)]
        self.line = self.tokenizer("\n")["input_ids"][-1]

    def chat(self, body):
        ids = self.tokenizer.apply_chat_template(
            body["messages"], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )["input_ids"]
        asked = ids.shape[1]

        def allowed(_, written):
            place = len(written) - asked
            return [self.digits[:6], [self.line]][place] if place < 2 else list(range(len(self.tokenizer)))

        with self.lock, self.torch.no_grad():
            made = self.network.generate(
                ids,
                attention_mask=self.torch.ones_like(ids),
                max_new_tokens=min(body["max_tokens"], 3),
                do_sample=False,
                prefix_allowed_tokens_fn=allowed,
                pad_token_id=self.tokenizer.pad_token_id,
            )[0, asked:]
        text = self.tokenizer.decode(made, skip_special_tokens=True)
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "length"}
        return {"object": "chat.completion", "choices": [choice], "usage": usage(asked, len(made))}

    def complete(self, body, *, plain):
        ids = self.tokenizer(body["prompt"], return_tensors="pt")["input_ids"]
        with self.lock, self.torch.no_grad():
            logits = self.network(ids).logits[0, -1]
        if not plain:
            logits[self.digits] += RAISE
        best = self.torch.log_softmax(logits, -1).topk(body["logprobs"])
        tokens = [self.tokenizer.decode([i]) for i in best.indices.tolist()]
        top = dict(zip(tokens, best.values.tolist(), strict=True))
        logprobs = {"tokens": tokens[:1], "token_logprobs": list(top.values())[:1], "top_logprobs": [top]}
        choice = {"index": 0, "text": tokens[0], "logprobs": logprobs, "finish_reason": "length"}
        return {"object": "text_completion", "choices": [choice], "usage": usage(ids.shape[1], 1)}


def usage(asked, made):
    return {"prompt_tokens": asked, "completion_tokens": made, "total_tokens": asked + made}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def do_GET(self):
        self.reply(200, self.server.log)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/faults":
            self.server.faults[:] = body
            self.server.log.clear()
            self.reply(200, {})
            return
        with self.server.lock:
            fault = self.server.faults.pop(0) if self.server.faults else "fine"
            self.server.log.append([fault, body, self.headers.get("Authorization")])
        self.answer(fault, body)

    def answer(self, fault, body):
        kind, _, rest = fault.partition(" ")
        if kind == "hang":
            self.connection.recv(1)  # returns when the client has gone
            self.close_connection = True
        elif kind == "cut":
            self.close_connection = True
        elif kind == "garbage":
            self.reply(200, None, "<html>502 Bad Gateway</html>")
        elif kind == "words":
            turn = {"role": "assistant", "content": "I would say four."}
            self.reply(200, {"choices": [{"message": turn, "text": "four"}]})
        elif kind.isdigit():
            headers = {"Retry-After": rest.removeprefix("retry-after ")} if rest else {}
            self.reply(int(kind), {"error": {"message": f"on purpose: {kind}"}}, headers=headers)
        elif kind == "kill":
            os.kill(int(rest), signal.SIGKILL)
            self.close_connection = True
        elif self.path == "/v1/chat/completions":
            self.reply(200, self.server.model.chat(body))
        else:
            self.reply(200, self.server.model.complete(body, plain=kind == "plain"))

    def reply(self, status, value, text=None, headers=None):
        data = (json.dumps(value) if text is None else text).encode()
        try:
            self.send_response(status)
            for name, words in (headers or {}).items():
                self.send_header(name, words)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except ConnectionError:  # the client waits no longer
            self.close_connection = True


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.model, server.faults, server.log, server.lock = Model(sys.argv[1]), [], [], threading.Lock()
    print(server.server_address[1], flush=True)  # noqa: T201
    server.serve_forever()


if __name__ == "__main__":
    main()
