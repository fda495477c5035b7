"""Generates a history of some 300,000 results as check files: 12 checks at 3 locations for 89 days.

It has what made histories wrong: nodes that were switched off while a check was down, outages of several locations that overlap or
follow each other, changed intervals, skewed clocks and one from the future, nights without runs, maintenance, posts, and copies.
Everything but the moment that it ends at comes from a seed.
"""

import json
import os
import random

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
DAYS = 89

LOCATIONS = ["ap-south", "eu-west", "us-east"]
SKEW = {"ap-south": -40_000, "eu-west": 0, "us-east": 90_000}

# The name, and since which day it runs at which interval.
CHECKS = {
    "API": [(0, 5 * MINUTE)],
    "Website": [(0, 5 * MINUTE)],
    "Payments": [(0, 15 * MINUTE), (30, 5 * MINUTE), (40, 15 * MINUTE)],
    "Search": [(0, 15 * MINUTE)],
    "Login": [(0, 15 * MINUTE), (88.4, MINUTE)],
    "Mail relay": [(0, 30 * MINUTE), (86, 15_000), (86.2, 30 * MINUTE)],
    "Postgres": [(0, 20 * MINUTE)],
    "Orders": [(0, 30 * MINUTE), (80, 10 * MINUTE)],
    "Help centre": [(0, 60 * MINUTE)],
    "Shop": [(0, 30 * MINUTE), (87, MINUTE), (87.3, 15_000), (87.5, 30 * MINUTE)],
    "DNS": [(0, 60 * MINUTE), (60, 9 * MINUTE), (70, 60 * MINUTE)],
    "Webhooks": [(0, 20 * MINUTE), (88, 2 * MINUTE)],
}

# How many consecutive results begin and end an incident, where it is not the default.
SETTINGS = {"Website": {"failures": 3}, "Webhooks": {"failures": 4, "successes": 5}}

REASONS = {"ap-south": "connection refused", "eu-west": "timed out after 2s", "us-east": "unexpected status 503"}


def endpoint(name):
    return f"{name.lower().replace(' ', '-')}.example.com:443"


def generate(folder, now, seed):
    """Writes the check files up to `now`, in milliseconds since 1970. Returns how many results they have."""
    chance = random.Random(seed)
    begin = now - DAYS * DAY
    files = {}
    total = 0
    for name, phases in CHECKS.items():
        troubles = troubles_of(name, begin, now, chance)
        for location in LOCATIONS:
            gone = absences(name, location, begin, now, chance)
            for at in moments(phases, begin, now, chance):
                if any(start <= at < end for start, end in gone):
                    continue
                result = result_of(name, location, at, troubles, chance)
                clock = at + SKEW[location]
                # One node's clock was wrong for an hour, and its results came from the future.
                if location == "ap-south" and begin + 40 * DAY <= at < begin + 40 * DAY + HOUR:
                    clock += 6 * HOUR
                result["timestamp"] = clock * 1_000_000 + chance.randrange(1_000_000)
                # Nodes store each run; older files were compacted to those of an hour.
                period = clock // HOUR if clock < now - 26 * HOUR else f"{clock // MINUTE}m"
                files.setdefault((location, period), []).append(result)
                total += 1
    add_posts(files, begin, now)
    write(folder, files, chance)
    return total


def moments(phases, begin, now, chance):
    """When a check runs at a location: at its interval, with some jitter."""
    at = begin + chance.randrange(5 * MINUTE)
    while at < now - 2 * MINUTE:
        yield at + chance.randrange(900)
        interval = [every for day, every in phases if begin + day * DAY <= at][-1]
        at += interval
        # A deployment or a restart takes some runs.
        if chance.random() < 0.0006:
            at += chance.randrange(1, 40) * interval


def absences(name, location, begin, now, chance):
    """When the node of a location does not run."""
    gone = [(begin + day * DAY, begin + day * DAY + 9 * HOUR) for day in (12, 33) if location == "eu-west"]
    if location == "us-east" and name in ("API", "Search", "DNS"):
        # Switched off for good, five days ago, while these were down there.
        gone.append((now - 5 * DAY, now + DAY))
    if location == "ap-south" and name in ("Help centre", "Login"):
        # The location is new.
        gone.append((0, begin + 35 * DAY))
    if name == "Orders":
        # No node runs: the state is unknown everywhere, once while it was down.
        gone += [(begin + 50 * DAY, begin + 50 * DAY + 7 * HOUR), (begin + 61 * DAY, begin + 62 * DAY)]
    return gone


def troubles_of(name, begin, now, chance):
    """Outages and slowness: from, to, locations, and the status."""
    troubles = []

    def trouble(start, length, locations, status):
        troubles.append((start, start + length, locations, status))

    for _ in range(28):
        start = begin + chance.randrange(DAYS * DAY - 4 * HOUR)
        length = int(chance.choice([2, 7, 16, 45, 130, 400]) * MINUTE * (0.5 + chance.random()))
        locations = chance.sample(LOCATIONS, chance.choice([1, 1, 2, 3]))
        trouble(start, length, locations, chance.choice(["down", "down", "degraded"]))
        # A second location often follows, before or after the first has recovered.
        if chance.random() < 0.5:
            trouble(start + chance.randrange(2 * length), length, [chance.choice(LOCATIONS)], "down")
    if name == "Payments":
        # Slow for three days, and within them down at one location after the other, never at two together.
        trouble(begin + 20 * DAY, 3 * DAY, ["eu-west"], "degraded")
        trouble(begin + 21 * DAY, HOUR, ["us-east"], "down")
        trouble(begin + 22 * DAY, HOUR, ["ap-south"], "down")
    if name in ("API", "Search", "DNS"):
        trouble(now - 5 * DAY - 3 * HOUR, 4 * HOUR, ["us-east"], "down")
    if name == "Orders":
        trouble(begin + 61 * DAY - 2 * HOUR, 3 * HOUR, LOCATIONS, "down")
    if name == "Shop":
        # It goes on.
        trouble(now - 100 * MINUTE, 2 * DAY, LOCATIONS, "down")
    if name == "Webhooks":
        trouble(now - 40 * MINUTE, 2 * DAY, ["eu-west"], "degraded")
    return troubles


def result_of(name, location, at, troubles, chance):
    of = [status for start, end, locations, status in troubles if start <= at < end and location in locations]
    status = "down" if "down" in of else "degraded" if of else "healthy"
    draw = chance.random()
    if status == "healthy" and draw < 0.003:
        status = "down" if draw < 0.001 else "degraded"
    elif status != "healthy" and draw < 0.03:
        status = "healthy"
    rtt = int(1_000_000 * (2 + 20 * chance.random()) * (20 if status == "degraded" else 1))
    result = {"title": name, "endpoint": endpoint(name), "timestamp": 0, "times": [{"rtt": rtt}], status: True}
    if status == "down":
        result["times"][0]["error"] = REASONS[location]
    if status == "degraded":
        result["notice"] = "median round trip time exceeded threshold"
    result["location"] = location
    return result


def add_posts(files, begin, now):
    """Maintenance in the form of the original, as posts, for all checks, edited and withdrawn; and messages."""

    def entry(at, name, message, **more):
        result = {"title": name, "endpoint": endpoint(name), "timestamp": at * 1_000_000, "times": [], "unknown": True}
        if message:
            result["message"] = message
        files.setdefault(("posts", at), []).append({**result, **more})

    def window(start, end, **more):
        return {"from": start * 1_000_000, "to": end * 1_000_000, **more}

    def post(ident, at, **more):
        return {"id": ident, "at": at * 1_000_000, **more}

    entry(begin + 9 * DAY, "API", "New disks", maintenance=window(begin + 10 * DAY, begin + 10 * DAY + 5 * HOUR))
    for day in range(3, DAYS, 7):
        start = begin + day * DAY
        of_all = window(start, start + 90 * MINUTE, all=True)
        entry(start - DAY, "API", "Weekly work", maintenance=of_all, post=post(f"weekly{day}", start - DAY, all=True))
    moved = now - 20 * HOUR
    entry(moved - 3 * DAY, "Search", "Reindexing", maintenance=window(moved - DAY, moved), post=post("index", moved - 3 * DAY))
    later = window(moved, moved + 3 * HOUR)
    entry(moved - 2 * DAY, "Search", "Reindexing, later", maintenance=later, post=post("index", moved - 2 * DAY))
    off = window(now - 6 * DAY, now - 3 * DAY)
    entry(now - 7 * DAY, "DNS", "Cancelled", maintenance=off, post=post("dns", now - 7 * DAY))
    entry(now - 6.5 * DAY // 1, "DNS", "", post=post("dns", int(now - 6.5 * DAY), ended=True))
    entry(now - 90 * MINUTE, "Shop", "We are looking into it", post=post("look", now - 90 * MINUTE, state="investigating"))
    entry(now - 60 * MINUTE, "Shop", "A disk is full", post=post("disk", now - 60 * MINUTE, state="identified"))
    entry(now - 2 * DAY, "API", "New prices from May", post=post("prices", now - 2 * DAY, all=True))


def write(folder, files, chance):
    os.makedirs(folder, exist_ok=True)
    for (location, _), results in files.items():
        results.sort(key=lambda result: result["timestamp"])
        first = int(results[0]["timestamp"])
        for result in results:
            result["timestamp"] = int(result["timestamp"])
        copies = 2 if chance.random() < 0.01 else 1
        for copy in range(copies):
            # A copy from a node whose first attempt to store it seemed to fail.
            path = os.path.join(folder, f"{first}-{location}{'-again' * copy}-check.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(results, file, separators=(",", ":"))
