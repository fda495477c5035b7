"""What is true of a history, by a slow and obvious method: at every moment, look at the result that each location holds, and vote.

It follows the definitions in the documentation of `checkup_core::history` and shares no code with it.
"""

from bisect import bisect_right

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
AHEAD = 20 * MINUTE
VALID_AT_LEAST = 10 * MINUTE
VALID_AT_MOST = 31 * DAY
LONG_INTERVAL = 10 * MINUTE
BAD = ("degraded", "down")


class Location:
    """The results of a check at a location, in the order of their times: `{milliseconds: (status, reason)}`."""

    def __init__(self, results, failures, successes, now):
        known = sorted(at for at in results if at <= now + AHEAD)
        self.times = known
        self.status = [results[at][0] for at in known]
        self.reason = [results[at][1] for at in known]
        self.usual = [usual_interval(known, i) for i in range(len(known))]
        self.valid = [min(max(3 * usual, VALID_AT_LEAST), VALID_AT_MOST) for usual in self.usual]
        self.smooth = self.smoothed(failures, successes, now)

    def holding(self, moment):
        """The index of the result that holds at a moment, or None."""
        i = bisect_right(self.times, moment) - 1
        return i if i >= 0 and moment < self.times[i] + self.valid[i] else None

    def smoothed(self, failures, successes, now):
        """The status of each result after smoothing: bad from the first of enough bad results to the first of enough good ones."""
        smooth = ["healthy"] * len(self.times)
        is_bad, pending, last_bad = False, [], "down"

        def finish(last):
            # Nothing follows: what was seen last counts.
            if is_bad and last is not None and self.times[last] + self.valid[last] <= now:
                for i in pending:
                    smooth[i] = "healthy"

        for i, status in enumerate(self.status):
            if i and min(self.times[i], now) > self.times[i - 1] + self.valid[i - 1]:
                finish(i - 1)
                is_bad, pending = False, []
            pending = pending + [i] if (status != "healthy") != is_bad else []
            needed = successes if is_bad else failures
            if needed is None:
                needed = 1 if self.usual[i] >= LONG_INTERVAL else 2
            if len(pending) >= needed:
                is_bad = not is_bad
                for j in pending:
                    smooth[j] = self.status[j]
                pending = []
            if status != "healthy":
                last_bad = status
            smooth[i] = "healthy" if not is_bad else last_bad
        finish(len(self.times) - 1 if self.times else None)
        return smooth


def usual_interval(times, i):
    """The median distance of the neighbouring results, five on each side; of an even number the greater of the middle two. Long ones are whole ten seconds."""
    near = times[max(0, i - 5) : i + 6]
    distances = sorted(b - a for a, b in zip(near, near[1:]))
    usual = distances[len(distances) // 2] if distances else 0
    return usual if 3 * usual < VALID_AT_LEAST else (usual + 5000) // 10_000 * 10_000


def vote(states, quorum):
    known = [state for state in states if state is not None]
    if not known:
        return "unknown"
    needed = min(quorum or len(known) // 2 + 1, len(known))
    if known.count("down") >= max(needed, 1):
        return "down"
    return "degraded" if any(state in BAD for state in known) else "healthy"


class Check:
    """A check over its locations: `{location: {milliseconds: (status, reason)}}`. Windows are `(from, to)`."""

    def __init__(self, results, windows, now, failures=None, successes=None, quorum=None):
        self.locations = {name: Location(of, failures, successes, now) for name, of in sorted(results.items())}
        self.windows, self.now, self.quorum, self.successes = windows, now, quorum, successes

    def pieces(self, start, names):
        """All times between which nothing changes, from `start` to now, including those of windows."""
        edges = {start, self.now}
        for name in names:
            of = self.locations[name]
            for at, valid in zip(of.times, of.valid):
                edges.update((at, at + valid))
        for window in self.windows:
            edges.update(window)
        edges = sorted(edge for edge in edges if start <= edge <= self.now)
        return list(zip(edges, edges[1:]))

    def in_maintenance(self, moment):
        return any(start <= moment < end for start, end in self.windows)

    def lengths(self, starts, names=None):
        """For each start, the milliseconds in each state from it up to now."""
        names = names or list(self.locations)
        sums = {start: {} for start in starts}
        for begin, end in self.pieces(min(starts), names):
            if self.in_maintenance(begin):
                state = "maintenance"
            else:
                held = [(self.locations[name], self.locations[name].holding(begin)) for name in names]
                state = vote([None if i is None else of.status[i] for of, i in held], self.quorum)
            for start, lengths in sums.items():
                if end > start:
                    lengths[state] = lengths.get(state, 0) + end - max(begin, start)
        return sums

    def uptimes(self, starts, names=None):
        """For each start, the share of the known time without maintenance that was not down, and the share that is known."""
        found = {}
        for start, of in self.lengths(starts, names).items():
            known = of.get("healthy", 0) + of.get("degraded", 0) + of.get("down", 0)
            up = (known - of.get("down", 0)) / known if known else None
            found[start] = (up, (known + of.get("maintenance", 0)) / (self.now - start))
        return found

    def stretches(self):
        """The smoothed state from the first result to now: `[state, from, to, {location: [indexes]}]`."""
        start = min((of.times[0] for of in self.locations.values() if of.times), default=self.now)
        stretches = []
        for begin, end in self.pieces(min(start, self.now), self.locations):
            held = {name: (of, of.holding(begin)) for name, of in self.locations.items()}
            state = vote([None if i is None else of.smooth[i] for of, i in held.values()], self.quorum)
            if not stretches or stretches[-1][0] != state:
                stretches.append([state, begin, end, {}])
            stretches[-1][2] = end
            for name, (of, i) in held.items():
                if i is not None and of.smooth[i] != "healthy":
                    stretches[-1][3].setdefault(name, set()).add(i)
        return stretches

    def incidents(self):
        """Maximal stretches in which the smoothed state is bad; those less than `successes` intervals apart are one."""
        groups = []
        stretches = self.stretches()
        for state, begin, end, bad in stretches:
            if state not in BAD:
                continue
            if groups:
                _, _, before, found = groups[-1][-1]
                usual = max(self.last_interval(name, before) for name in found)
                needed = self.successes or (1 if usual >= LONG_INTERVAL else 2)
                # A tenth less, since runs jitter.
                if begin == before or begin - before < 0.9 * needed * usual:
                    groups[-1].append((state, begin, end, bad))
                    continue
            groups.append([(state, begin, end, bad)])
        following = {begin: state for state, begin, _, _ in stretches}
        incidents = [self.incident(parts, following) for parts in groups]
        return [incident for incident in incidents if incident["segments"]]

    def last_interval(self, name, moment):
        """The usual interval around the last bad result of a location before a moment."""
        of = self.locations[name]
        return of.usual[self.last_bad(name, bisect_right(of.times, moment - 1) - 1)[0]]

    def last_bad(self, name, i):
        """The index and the reason of the last bad result up to this one."""
        of = self.locations[name]
        while of.status[i] == "healthy":
            i -= 1
        return i, of.reason[i]

    def incident(self, parts, following):
        segments = []
        for state, begin, end, bad in parts:
            edges = sorted({begin, end, *(edge for window in self.windows for edge in window if begin < edge < end)})
            for start, stop in zip(edges, edges[1:]):
                if self.in_maintenance(start):
                    continue
                if segments and segments[-1]["to"] == start and segments[-1]["part"] == begin:
                    segments[-1]["to"] = stop
                    continue
                reasons = {self.locations[name].reason[i] for name, indexes in bad.items() for i in indexes} - {None}
                # While good results are too few to end the badness, the last bad ones say why.
                reasons |= {self.last_bad(name, min(indexes))[1] for name, indexes in bad.items()}
                segments.append({"status": state, "from": start, "to": stop, "locations": sorted(bad), "reasons": reasons, "part": begin})
        begin, end = parts[0][1], parts[-1][2]
        last = None
        if following.get(end) == "unknown":
            last = max(
                of.times[i]
                for name in parts[-1][3]
                for of in [self.locations[name]]
                for i in range(bisect_right(of.times, end - 1))
                if of.status[i] != "healthy"
            )
        return {
            "from": begin,
            "to": end if end < self.now else None,
            "last_seen": last,
            "status": "down" if any(segment["status"] == "down" for segment in segments) else "degraded",
            "segments": segments,
        }
