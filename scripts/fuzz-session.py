"""Logs in and prints what scripts/fuzz-api.sh fuzzes with: see `things`."""

import json
import os
import sys
import urllib.parse
import urllib.request

what, url, email, password = sys.argv[1:]


def send(path, body, cookie=None, key=None):
    headers = {"Content-Type": "application/json"} | ({"Cookie": cookie} if cookie else {})
    headers |= {"Authorization": f"Bearer {key}"} if key else {}
    request = urllib.request.Request(url + path, json.dumps(body).encode(), headers)
    return urllib.request.urlopen(request, timeout=20)


def post(*words, **more):
    return json.load(send(*words, **more))


SCOPES = ["read_write", "tasks:read", "tasks:write", "webhooks:write"]


def key():
    """A key of every scope."""
    return post("/api/api-keys", {"name": "fuzz", "scopes": SCOPES}, cookie)["key"]


def engagement():
    """The id of an engagement to add files to."""
    return post("/api/engagements", {"name": "Fuzz", "client": "Fuzz", "brief": "Fuzz"}, cookie)["id"]


def task():
    """The id of a collection task, which is not funded yet."""
    draft = {"title": "Fuzz", "instructions": "Film anything.", "reward_cents": 50, "target_submissions": 10000}
    return post("/api/v1/tasks", draft, key=key())["data"]["id"]


def submission():
    """The id of what a contributor hands in for the task of GC_FUZZ_TASK."""
    recordings = "/api/contributor/tasks/" + os.environ["GC_FUZZ_TASK"]
    video = b"\0" * 4096
    place = post(recordings + "/uploads", {"byte_size": len(video), "mime_type": "video/mp4"}, cookie)
    put = urllib.request.Request(place["upload_url"], video, {"Content-Type": "video/mp4"}, method="PUT")
    urllib.request.urlopen(put, timeout=20).close()
    draft = {"media_object_key": place["media_object_key"], "duration_seconds": 1}
    return post(recordings + "/submissions", draft, cookie)["id"]


def link():
    """Bucket, shard, name and token of the link to the recording of GC_FUZZ_SUBMISSION."""
    place = url + "/api/v1/submissions/" + os.environ["GC_FUZZ_SUBMISSION"]
    request = urllib.request.Request(place, headers={"Authorization": "Bearer " + os.environ["GC_FUZZ_KEY"]})
    link = urllib.parse.urlsplit(json.load(urllib.request.urlopen(request, timeout=20))["data"]["media_url"])
    return " ".join(link.path.split("/")[-3:] + urllib.parse.parse_qs(link.query)["token"])


things = {
    "cookie": lambda: cookie.removeprefix("gc_session="),
    "key": key,
    "engagement": engagement,
    "task": task,
    "submission": submission,
    "link": link,
}
login = send("/api/auth/login", {"email": email, "password": password})
cookie = login.headers["Set-Cookie"].split(";")[0]
print(things[what]())
