"""Compares what the command, the served page, the API and the feed say of a generated history with `reference_truth`.

    reference.py CHECKUP WORK [SEED]

CHECKUP is the command to test, WORK a folder for the data. It prints what differs, and fails if anything does.
"""

import json
import os
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
import xml.etree.ElementTree
from datetime import datetime

from reference_data import CHECKS, DAYS, LOCATIONS, SETTINGS, endpoint, generate
from reference_page import Page
from reference_truth import DAY, Check

WINDOWS = {"24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY, "90d": 90 * DAY}
# How far a share may differ: 0.01 points.
NEAR = 0.0001
# How old a response of the server may be, in milliseconds.
STATE_AGE = 3000
QUORUM = None


def millis(text):
    """The milliseconds of a time in RFC 3339."""
    text = text.replace("Z", "+00:00")
    whole, fraction = re.fullmatch(r"([^.]*?)(\.\d+)?\+00:00", text).groups()
    seconds = int(datetime.fromisoformat(whole + "+00:00").timestamp())
    return seconds * 1000 + int(float(fraction or "0") * 1000 + 0.0001)


class Data:
    """The check files, read without any of the project's code."""

    def __init__(self, folder):
        self.results, posts, self.windows, self.posts = {}, {}, [], {}
        for file in os.listdir(folder):
            if "-check.json" not in file:
                continue
            with open(os.path.join(folder, file), encoding="utf-8") as content:
                for result in json.load(content):
                    self.take(result, posts)
        for post in posts.values():
            if not post["post"].get("ended"):
                self.announce(post)

    def take(self, result, posts):
        post = result.get("post")
        if post:
            key = (post["id"], None if post.get("all") else result["title"])
            if key not in posts or posts[key]["post"]["at"] < post["at"]:
                posts[key] = result
            return
        if result.get("maintenance"):
            self.announce(result)
        if result.get("unknown"):
            return
        status = next(status for status in ("healthy", "degraded", "down") if result.get(status))
        reason = result["times"][0].get("error") or result.get("notice")
        of = self.results.setdefault(result["title"], {}).setdefault(result["location"], {})
        of[result["timestamp"] // 1_000_000] = (status, reason)

    def announce(self, result):
        window = result.get("maintenance")
        if window:
            name = None if window.get("all") else result["title"]
            self.windows.append((name, window["from"] // 1_000_000, window["to"] // 1_000_000))
        else:
            post = result["post"]
            name = None if post.get("all") else result["title"]
            at = post.get("posted", post["at"]) // 1_000_000
            self.posts[post["id"]] = {"name": name, "at": at, "text": result["message"], "state": post.get("state")}

    def check(self, name, now):
        windows = sorted({(start, end) for of, start, end in self.windows if of in (None, name)})
        settings = SETTINGS.get(name, {})
        return Check(self.results[name], windows, now, settings.get("failures"), settings.get("successes"), QUORUM)


class Report:
    """What was compared, and what differs."""

    def __init__(self):
        self.counts, self.problems = {}, []

    def check(self, what, found, expected, is_right=None):
        kind = what.split(":")[0]
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if not (is_right if is_right is not None else found == expected):
            self.problems.append(f"{what}: found {found}, expected {expected}")

    def share(self, what, found, expected):
        if found is None or None in expected:
            return self.check(what, found, expected, found is None and expected == [None] * len(expected))
        is_near = min(expected) - NEAR <= found <= max(expected) + NEAR
        return self.check(what, found, expected, is_near)

    def incidents(self, what, found, expected):
        """Incidents must be equal to the millisecond."""
        self.check(f"{what}: number of incidents", len(found), len(expected))
        known = {incident["from"]: incident for incident in expected}
        for incident in found:
            of = known.pop(incident["from"], None)
            place = f"{what}: incident of {incident['from']}"
            if of is None:
                self.check(place, incident, None)
                continue
            for key, value in incident.items():
                if key == "segments":
                    self.segments(place, value, of["segments"])
                else:
                    self.check(f"{place}: {key}", value, of[key])
        for start, incident in known.items():
            self.check(f"{what}: incident of {start}", None, incident)

    def segments(self, what, found, expected):
        keys = [key for key in ("status", "from", "to", "locations") if not found or key in found[0]]
        bare = [{key: segment[key] for key in keys} for segment in found]
        self.check(f"{what}: segments", bare, [{key: segment[key] for key in keys} for segment in expected])
        for segment, of in zip(found, expected):
            if "reasons" in segment:
                self.check(f"{what}: reasons", segment["reasons"], of["reasons"], of["reasons"] == set(segment["reasons"]))


def incident_of(raw):
    """An incident of the JSON documents of the command and of the API."""
    segments = [
        {
            "status": segment["status"],
            "from": millis(segment["from"]),
            "to": millis(segment["to"]),
            "locations": segment["locations"],
            "reasons": segment["reasons"],
        }
        for segment in raw["segments"]
    ]
    ends = {key: raw.get(key) and millis(raw[key]) for key in ("to", "last_seen")}
    return {"from": millis(raw["from"]), **ends, "status": raw["status"], "segments": segments}


def compare_command(checkup, config, data, report):
    """`checkup history --format json`, whose document says of which moment it is."""
    command = [checkup, "--config", config, "history", "--since", "90d", "--format", "json"]
    document = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    now = millis(document["now"])
    report.check("command: problems", [*document["problems"], *document["unread"]], [])
    report.check("command: checks", sorted(check["name"] for check in document["checks"]), sorted(CHECKS))
    for check in document["checks"]:
        of = data.check(check["name"], now)
        starts = [now - length for length in WINDOWS.values()]
        uptimes = of.uptimes(starts)
        for key, length in WINDOWS.items():
            report.share(f"command: {check['name']} {key}", check["uptime"][key], [uptimes[now - length][0]])
        for location in check["locations"]:
            place = location["location"]
            alone = of.uptimes(starts, [place])
            for key, length in WINDOWS.items():
                report.share(f"command: {check['name']} at {place} {key}", location["uptime"][key], [alone[now - length][0]])
        report.incidents(f"command: {check['name']}", [incident_of(raw) for raw in check["incidents"]], of.incidents())
        compare_posts(f"command: {check['name']}", check["messages"], "at", check["name"], data, report)
    compare_posts("command: all", document["messages"], "at", None, data, report)


def compare_posts(what, found, time_key, name, data, report):
    shown = sorted((millis(post[time_key]), post["text"], post.get("state")) for post in found)
    known = sorted((post["at"], post["text"], post["state"]) for post in data.posts.values() if post["name"] == name)
    report.check(f"{what}: posts", shown, known)


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


class Moments:
    """The truth of a served check at the moment of a response, which is between two others."""

    def __init__(self, data, before, after):
        self.data, self.before, self.after = data, before - STATE_AGE, after
        self.known = {}

    def of(self, name):
        if name not in self.known:
            self.known[name] = [self.data.check(name, now) for now in (self.before, self.after)]
        return self.known[name]

    def shares(self, name, length):
        return [check.uptimes([check.now - length])[check.now - length][0] for check in self.of(name)]

    def all_shares(self, name):
        first, last = [check.uptimes([check.now - length for length in WINDOWS.values()]) for check in self.of(name)]
        lengths = WINDOWS.items()
        return {key: [first[self.before - length][0], last[self.after - length][0]] for key, length in lengths}

    def incidents(self, name):
        """The incidents at the later moment. The end of those that go on is not compared."""
        return self.of(name)[1].incidents()


def without_present(incidents):
    """Incidents without the end of a segment that goes on: it is that of the moment of the question."""
    for incident in incidents:
        if incident.get("to", 0) is None and incident["segments"]:
            incident["segments"][-1]["to"] = None
    return incidents


def compare_api(url, data, report):
    before = int(time.time() * 1000)
    status = json.loads(get(f"{url}/api/v1/status"))
    moments = Moments(data, before, int(time.time() * 1000))
    report.check("api: checks", sorted(check["name"] for check in status["checks"]), sorted(CHECKS))
    for check in status["checks"]:
        name = check["name"]
        shares = moments.all_shares(name)
        for key in WINDOWS:
            report.share(f"api: {name} {key}", check["uptime"][key], shares[key])
        query = urllib.parse.urlencode({"check": name, "since": "2160h"})
        history = json.loads(get(f"{url}/api/v1/history?{query}"))
        [own] = history["checks"]
        found = without_present([incident_of(raw) for raw in own["incidents"]])
        report.incidents(f"api: {name}", found, without_present(moments.incidents(name)))
    return moments


def compare_feed(url, moments, data, report):
    """The feed has the latest 100 of incidents, posts and maintenance."""
    space = {"a": "http://www.w3.org/2005/Atom"}
    entries = xml.etree.ElementTree.fromstring(get(f"{url}/feed.atom")).findall("a:entry", space)
    shown = []
    for entry in entries:
        title, content = (entry.find(f"a:{key}", space).text or "" for key in ("title", "content"))
        match = re.fullmatch(r"(.*) (?:is|was) (down|degraded)(?: when last seen)?", title)
        if not match:
            continue
        times = re.match(r"From (\S+) to (\S+)\. |Since (\S+)\. ", content)
        begin, end = times[1] or times[3], times[2]
        shown.append((match[1], match[2], millis(begin), end and millis(end)))
    report.check("feed: is not empty", len(shown) > 20, True)
    oldest = min(begin for _, _, begin, _ in shown)
    known = set()
    for name in CHECKS:
        for incident in moments.incidents(name):
            end = incident["to"] and incident["to"] // 1000 * 1000
            known.add((name, incident["status"], incident["from"] // 1000 * 1000, end))
    shown = {(name, status, begin // 1000 * 1000, end and end // 1000 * 1000) for name, status, begin, end in shown}
    for entry in sorted(shown | {one for one in known if one[2] > oldest}):
        report.check("feed: entry", (entry in shown, entry), (entry in known, entry))


def compare_page(url, data, report):
    """What a browser shows: the shares with two digits, and the incidents with their times and segments."""
    with Page(url) as page:
        before = int(time.time() * 1000)
        uptimes = page.uptimes()
        moments = Moments(data, before - 60_000, int(time.time() * 1000))
        report.check("page: checks", sorted(uptimes), sorted(CHECKS))
        for name, shown in uptimes.items():
            shares = moments.all_shares(name)
            for key, share in shown.items():
                # It is never rounded up.
                report.share(f"page: {name} {key}", share and share + NEAR / 2, shares[key])
            report.check(f"page: {name} windows", sorted(shown), sorted(WINDOWS))
        found = page.incidents()
        for name in CHECKS:
            expected = [shown_on_page(incident) for incident in without_present(moments.incidents(name))]
            report.incidents(f"page: {name}", without_present(found.get(name, [])), expected)


def shown_on_page(incident):
    """An incident as the page shows it: it lists segments only if there are several, and their reasons as part of a text."""
    segments = incident["segments"] if len(incident["segments"]) > 1 else []
    return {**incident, "segments": [{key: of[key] for key in ("status", "from", "to", "locations")} for of in segments]}


def serve(checkup, config):
    server = subprocess.Popen(
        [checkup, "--config", config, "serve", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True
    )
    for line in server.stdout:
        match = re.search(r"http://127\.0\.0\.1:\d+", line)
        if match:
            return server, match[0]
    raise SystemExit("the server prints no address")


def wait_for(url):
    for _ in range(60):
        try:
            return get(f"{url}/api/v1/status")
        except OSError:
            time.sleep(1)
    raise SystemExit("the server does not read the history")


def main(checkup, work, seed="11"):
    begun = time.monotonic()
    folder = os.path.join(work, "checks")
    config = os.path.join(work, "checkup.json")
    total = generate(folder, int(time.time() * 1000), int(seed))
    checkers = [{"type": "tcp", "name": name, "endpoint_url": endpoint(name), **SETTINGS.get(name, {})} for name in CHECKS]
    with open(config, "w", encoding="utf-8") as file:
        json.dump({"checkers": checkers, "storage": {"type": "fs", "dir": folder}, "status_page": {"timeframe": "90d"}}, file)
    print(f"{total} results of {len(CHECKS)} checks at {len(LOCATIONS)} locations over {DAYS} days, seed {seed}", flush=True)
    report = Report()
    data = Data(folder)

    def step(name):
        print(f"{time.monotonic() - begun:6.1f} s: {name}", flush=True)

    step("the command, from check files")
    compare_command(checkup, config, data, report)
    step("maintain")
    subprocess.run([checkup, "--config", config, "maintain"], check=True, stdout=subprocess.DEVNULL)
    step("the command, from the summary")
    compare_command(checkup, config, data, report)
    step("the API and the feed")
    server, url = serve(checkup, config)
    try:
        wait_for(url)
        moments = compare_api(url, data, report)
        compare_feed(url, moments, data, report)
        step("the page")
        compare_page(url, data, report)
    finally:
        server.terminate()
        server.wait(timeout=60)
    step("done")
    for kind, count in report.counts.items():
        print(f"{count:6} comparisons with the {kind}")
    for problem in report.problems[:60]:
        print(problem[:1200], file=sys.stderr)
    if report.problems:
        raise SystemExit(f"{len(report.problems)} of {sum(report.counts.values())} comparisons failed")


if __name__ == "__main__":
    main(*sys.argv[1:])
