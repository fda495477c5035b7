// Getting the data: from a server, from a folder of check files, or from a bucket. Only what changed is fetched again.

import { DAY } from "./text.js";
import { addPart, addResults, emptyData, readSummary } from "./model.js";

const TIMEOUT = 20_000;
const AT_ONCE = 6;
const FILES_A_BATCH = 30;
const FILES_IN_ALL = 2000;
const TRIES = 3;
const MANY = 1000;
const LOOK_BACK = 2 * 3_600_000;
const LARGEST = 32 << 20;
const CHECK_FILE = /^(\d{1,19})(?:-[^/]*)?-check\.json$/u;

/** A URL of the config. It may be relative to this script, which is next to everything else; the page itself may be elsewhere. */
export function resolved(url) {
  return new URL(url, import.meta.url);
}

/** What reads a source of the config: `for await (const data of loader.load(now))` gives the data, several times if they come in parts. */
export function loaderOf(config) {
  const { source } = config;
  const base = resolved(source.url ?? "./");
  if (source.type === "api") return new ServedLoader(resolved("summary.json"));
  const list = source.type === "s3" ? new Bucket(base, source.prefix ?? "") : new Folder(base);
  return new FileLoader(list, config.timeframe);
}

/** A server gives all in one file, and the time. */
class ServedLoader {
  constructor(url) {
    this.url = url;
    this.data = null;
    this.etag = null;
    /** How far the server's clock is ahead of this computer's, in milliseconds. */
    this.ahead = 0;
    /** Counts the changes of the data. */
    this.version = 0;
    this.notes = [];
  }

  async *load() {
    const response = await get(this.url, "no-cache");
    const date = Date.parse(response.headers.get("date"));
    if (date) this.ahead = date - Date.now();
    const etag = response.headers.get("etag");
    if (!this.data || !etag || etag !== this.etag) {
      this.data = readSummary(await response.json());
      this.etag = etag;
      this.version += 1;
    }
    yield this.data;
  }
}

/** A set of check files, with a summary of most of them if somebody made one. */
class FileLoader {
  constructor(list, timeframe) {
    this.list = list;
    this.timeframe = timeframe;
    this.ahead = 0;
    this.version = 0;
    this.notes = [];
    this.data = null;
    this.summary = { text: null, ok: false };
    /** Results of files that are not in the summary, by the files' names. */
    this.known = new Map();
    this.failures = new Map();
    this.listed = 0;
  }

  async *load(now) {
    this.notes = [];
    // A list that is one file can come along with the summary; of a bucket, only what came after it is listed.
    const whole = settled(this.list.isOneFile ? this.list.names() : null);
    const text = await this.list.summary();
    if (!this.data || text !== this.summary.text) {
      this.begin(text, now);
      await this.readParts(now);
    }
    if (!this.summary.ok && text !== null)
      this.notes.push("The summary could not be read; what is shown comes from single files.");
    const names = await (this.list.isOneFile ? whole : settled(this.list.names(this.listFrom(now), now)));
    if (names.error) {
      // What the summary has is better than nothing.
      yield this.data;
      throw names.error;
    }
    const wanted = this.wanted(names.value, now);
    for (let done = 0; ; done += FILES_A_BATCH) {
      const batch = wanted.slice(done, done + FILES_A_BATCH);
      await this.read(batch);
      const left = wanted.length - done - batch.length;
      this.loading = left > 0 ? left : 0;
      yield this.data;
      if (left <= 0) return;
    }
  }

  /** From when on the names of check files are of interest. */
  from(now) {
    return this.data && this.summary.ok ? this.data.recentFrom : now - this.timeframe;
  }

  /** From when on names are listed: mostly only the latest; now and then all, since a node may store late what it kept. */
  listFrom(now) {
    const from = this.from(now);
    this.listed += 1;
    return this.listed % 10 === 1 ? from : Math.max(from, now - LOOK_BACK);
  }

  /** Begins with a new summary, or with none; what was read before stays read. */
  begin(text, now) {
    this.version += 1;
    this.summary = { text, ok: false };
    this.data = emptyData();
    this.data.recentFrom = now - this.timeframe;
    if (text !== null) {
      try {
        this.data = readSummary(JSON.parse(text));
        this.summary.ok = true;
      } catch {
        // Derived data: the check files are there still.
      }
    }
    for (const [name, results] of this.known) {
      if (this.data.files.has(name)) this.known.delete(name);
      else addResults(this.data, results);
    }
  }

  /** Reads the parts of the summary that are in the timeframe. They never change. */
  async readParts(now) {
    for (const { name } of this.data.parts.filter(({ to }) => (to + 1) * DAY > now - this.timeframe)) {
      try {
        addPart(this.data, await (await get(this.list.url(name), "force-cache")).json());
      } catch {
        this.data.problems.push(`${name}, which has older days, could not be read`);
      }
    }
  }

  wanted(names, now) {
    const from = this.from(now);
    const wanted = names.filter((name) => {
      const stamp = CHECK_FILE.exec(name)?.[1];
      if (!stamp || Number(stamp) / 1e6 < from) return false;
      if (this.known.has(name) || this.data.files.has(name) || this.data.unread.has(name)) return false;
      return (this.failures.get(name) ?? 0) < TRIES;
    });
    wanted.sort().reverse();
    const room = Math.max(0, FILES_IN_ALL - this.known.size);
    if (wanted.length > room) {
      this.notes.push(
        `${wanted.length - room} older files were left out: there are more than ${FILES_IN_ALL} that no summary contains.`,
      );
    }
    return wanted.slice(0, room);
  }

  async read(names) {
    const queue = [...names];
    const worker = async () => {
      for (let name = queue.shift(); name !== undefined; name = queue.shift()) await this.readOne(name);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  /** A file that is missing, truncated or alien costs itself alone. */
  async readOne(name) {
    try {
      const response = await get(this.list.url(name), this.failures.has(name) ? "no-cache" : "force-cache");
      const results = await response.json();
      addResults(this.data, results);
      this.known.set(name, results);
      this.failures.delete(name);
      this.version += 1;
    } catch {
      this.failures.set(name, (this.failures.get(name) ?? 0) + 1);
    }
  }

  /** The files that could not be read. */
  get unread() {
    return [...this.failures.keys()];
  }
}

/** A folder of a web server, with upstream's `index.json`. */
class Folder {
  constructor(base) {
    this.base = base;
    this.isOneFile = true;
  }

  url(name) {
    return new URL(encodeURIComponent(name), this.base);
  }

  summary() {
    return textOrNull(this.url("summary.json"));
  }

  async names() {
    const text = await textOrNull(this.url("index.json"));
    try {
      return text === null ? [] : Object.keys(JSON.parse(text));
    } catch {
      throw new Error("index.json is not JSON");
    }
  }
}

/** A bucket that anybody may list and read. */
class Bucket extends Folder {
  constructor(base, prefix) {
    super(base);
    this.prefix = prefix;
    this.isOneFile = false;
  }

  url(name) {
    return new URL((this.prefix + name).split("/").map(encodeURIComponent).join("/"), this.base);
  }

  /** The names from a time on. Where there are many (nobody made a summary), only those of the last days. */
  async names(from, now) {
    for (const span of [2 * DAY, 8 * DAY]) {
      if (now - span <= from) break;
      const names = await this.namesFrom(now - span);
      if (names.length >= MANY) return names;
    }
    return this.namesFrom(from);
  }

  async namesFrom(from) {
    const names = [];
    const query = new URLSearchParams({ "list-type": "2", prefix: this.prefix });
    query.set("start-after", `${this.prefix}${String(Math.max(0, Math.floor(from))).padStart(13, "0")}000000`);
    for (;;) {
      const url = new URL(this.base);
      url.search = query.toString();
      const list = await getXml(url);
      const values = (tag) => [...list.getElementsByTagName(tag)].map((node) => node.textContent);
      for (const key of values("Key")) names.push(key.slice(this.prefix.length));
      const [token] = values("NextContinuationToken");
      if (!token || values("IsTruncated")[0] !== "true") return names;
      query.set("continuation-token", token);
    }
  }
}

/** What a promise comes to, so that nobody need wait for it at once. */
async function settled(promise) {
  try {
    return { value: await promise };
  } catch (error) {
    return { error };
  }
}

async function get(url, cache) {
  let response;
  try {
    response = await fetch(url, {
      cache,
      credentials: "same-origin",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(TIMEOUT),
    });
  } catch (error) {
    throw new Error(
      error.name === "TimeoutError"
        ? `${nameOf(url)} did not come within ${TIMEOUT / 1000} s`
        : `${nameOf(url)} cannot be reached`,
    );
  }
  if (!response.ok)
    throw Object.assign(new Error(`${nameOf(url)}: HTTP status ${response.status}`), { status: response.status });
  if (Number(response.headers.get("content-length")) > LARGEST) throw new Error(`${nameOf(url)} is too large`);
  return response;
}

/** The text of a file, or null if there is none. Buckets that may not be listed say 403 for what is not there. */
async function textOrNull(url) {
  try {
    return await (await get(url, "no-cache")).text();
  } catch (error) {
    if (error.status === 404 || error.status === 403) return null;
    throw error;
  }
}

/** A parsed XML document. By XMLHttpRequest: it needs no DOMParser, which the page's policy forbids. */
function getXml(url) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", url);
    request.responseType = "document";
    request.overrideMimeType("application/xml");
    request.timeout = TIMEOUT;
    request.onload = () => {
      if (request.status === 200 && request.response) resolve(request.response);
      else reject(new Error(`the list of files: HTTP status ${request.status}`));
    };
    request.onerror = () => reject(new Error("the list of files cannot be reached"));
    request.ontimeout = () => reject(new Error(`the list of files did not come within ${TIMEOUT / 1000} s`));
    request.send();
  });
}

function nameOf(url) {
  return url.pathname.split("/").at(-1) || "the page's data";
}
