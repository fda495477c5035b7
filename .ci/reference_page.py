"""Reads the status page in chromium, by the WebDriver protocol."""

import json
import re
import subprocess
import time
import urllib.request

from reference_data import LOCATIONS

LIST = "document.querySelector('#timeline')"
# Of each incident in the list: its check, status, line, times, and the status, times and line of each of its segments.
ENTRIES = f"""
const times = (of, where) => [...of.querySelectorAll(where)].map((time) => Date.parse(time.dateTime));
const incidents = [...{LIST}.querySelectorAll('.entry')].filter((entry) => /down|degraded/.test(entry.dataset.state));
return incidents.map((entry) => {{
  const line = entry.querySelector(':scope > p');
  const segments = [...entry.querySelectorAll('.segments li')];
  const parts = segments.map((part) => [part.querySelector('strong').textContent, times(part, 'time'), part.textContent]);
  return [line.querySelector('b').textContent, entry.dataset.state, line.textContent, times(line, 'time'), parts];
}});
"""


class Page:
    """A page in a browser, with all that it can show. A context manager."""

    def __init__(self, url):
        self.url = url
        self.driver = None

    def __enter__(self):
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0", "--allowed-ips=127.0.0.1"], stdout=subprocess.PIPE, text=True
        )
        for line in self.driver.stdout:
            match = re.match(r"ChromeDriver was started successfully on port (\d+)", line)
            if match:
                break
        self.base = f"http://127.0.0.1:{match[1]}/session"
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,900"]}
        session = self.post("", {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}})
        self.base += f"/{session['sessionId']}"
        self.post("/url", {"url": self.url})
        self.until("return !document.querySelector('main[aria-busy]') && document.querySelector('.card') !== null")
        return self

    def __exit__(self, *_):
        try:
            self.request("", None, "DELETE")
        finally:
            self.driver.terminate()
            self.driver.wait(timeout=30)

    def request(self, path, body, method):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def post(self, path, body):
        return self.request(path, body, "POST")

    def run(self, script):
        return self.post("/execute/sync", {"script": script, "args": []})

    def until(self, script):
        for _ in range(600):
            if self.run(script):
                return
            # Between two questions to another process, which has no event for it.
            time.sleep(0.05)
        raise SystemExit(f"the page never satisfies: {script}")

    def uptimes(self):
        """By check and window, the shares that the cards show."""
        found = {}
        for card in range(self.run("return document.querySelectorAll('.card').length")):
            own = f"document.querySelectorAll('.card')[{card}]"
            self.run(f"{own}.scrollIntoView({{ behavior: 'instant' }})")
            self.until(f"return {own}.querySelectorAll('.uptimes dd').length > 0")
            name, shares = self.run(
                f"const card = {own}; const texts = (of) => [...card.querySelectorAll(of)].map((e) => e.textContent);"
                "return [texts('h3')[0], texts('.uptimes dt').map((key, i) => [key, texts('.uptimes dd')[i]])]"
            )
            found[name.strip()] = {key.replace(" ", "").replace("\u00a0", ""): share_of(text) for key, text in shares}
        return found

    def incidents(self):
        """By check, the incidents of the history of all months, with the times in their elements and the segments that are shown."""
        self.run(f"{LIST}.querySelectorAll('.filter input').forEach((box) => box.checked || box.click())")
        entries = []
        while True:
            while self.run(f"const more = {LIST}.querySelector('[data-focus=more]'); more?.click(); return more !== null"):
                pass
            entries += self.run(ENTRIES)
            if not self.run(f"const back = {LIST}.querySelector('[data-focus=earlier]'); back?.click(); return back !== null"):
                break
        found = {}
        for name, status, text, times, segments in entries:
            incident = {"from": times[0], "to": times[1] if len(times) > 1 else None, "status": status}
            if "when last seen" in text:
                # The second time is that of the last bad result, and when the incident ended is not shown.
                incident = {"from": times[0], "last_seen": times[1], "status": status}
            incident["segments"] = [
                {"status": state.lower(), "from": span[0], "to": span[1], "locations": [place for place in LOCATIONS if place in line]}
                for state, span, line in segments
            ]
            found.setdefault(name.strip(), []).append(incident)
        return found


def share_of(text):
    """`99.95 %`, or None for no data."""
    match = re.match(r"([\d.,]+)\s*%", text.replace("\u00a0", " "))
    return float(match[1].replace(",", ".")) / 100 if match else None
