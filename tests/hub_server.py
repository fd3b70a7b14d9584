"""A server on this machine that answers as the Hugging Face Hub does, for the files that it is given."""

import hashlib
import http.server
import threading
from contextlib import contextmanager


class Handler(http.server.BaseHTTPRequestHandler):
    """HEAD and GET of /ORG/NAME/resolve/REVISION/FILE, with the SHA-256 as the Hub states it."""

    def log_message(self, *args):
        """Say nothing."""

    def do_HEAD(self):
        """What is known of a file."""
        self.answer(with_content=False)

    def do_GET(self):
        """A file, or the rest of it."""
        self.answer(with_content=True)

    def answer(self, with_content):
        """Answer with a file, whole or from where it is asked for, or with the Hub's words for what is not there."""
        self.server.asked.append((self.command, self.path))
        repository, found, rest = self.path.strip("/").partition("/resolve/")
        revision, _, file = rest.partition("/")
        files = self.server.repositories.get(repository)
        content = None if files is None else files.get(file)
        if not found or content is None or revision not in ("main", "v2"):
            code = "RepoNotFound" if files is None else "RevisionNotFound" if content is not None else "EntryNotFound"
            self.send_response(404)
            self.send_header("X-Error-Code", code)
            self.send_header("X-Repo-Commit", "0" * 40)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        digest = hashlib.sha256(content).hexdigest()
        sent = self.server.altered.get(file, content)
        first = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
        self.send_response(206 if first else 200)
        self.send_header("ETag", f'"{digest}"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("Content-Length", str(len(sent) - first))
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(sent) - 1}/{len(sent)}")
        self.end_headers()
        if with_content:
            self.wfile.write(sent[first:])


@contextmanager
def serving(repositories):
    """A server of repositories, {"ORG/NAME": {file: bytes}}; `asked` and `altered` are its attributes."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.repositories, server.asked, server.altered = repositories, [], {}
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
