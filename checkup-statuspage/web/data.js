// Loading the data from a server, a folder of check files, or a bucket. Only what has changed is fetched again.

import { DAY } from "./text.js";
import { say } from "./words.js";
import { addPart, addResults, emptyData, readSummary } from "./model.js";

const TIMEOUT = 20_000;
const AT_ONCE = 6;
const FILES_A_BATCH = 30;
const FILES_IN_ALL = 2000;
const TRIES = 3;
const MANY = 1000;
/** How many loads use the index of a bucket before the bucket is listed again. */
const INDEX_LOADS = 10;
const LOOK_BACK = 2 * 3_600_000;
const LARGEST = 32 << 20;
const CHECK_FILE = /^(\d{1,19})(?:-[^/]*)?-check\.json$/u;

/** A URL of the config. Relative URLs are relative to this script, not to the page, which may be in another folder. */
export function resolved(url) {
  return new URL(url, import.meta.url);
}

/** The loader for the source in the config. `for await (const data of loader.load(now))` yields the data, several times if it arrives in parts. */
export function loaderOf(config) {
  const { source } = config;
  const base = resolved(source.url ?? "./");
  const hysteresis = hysteresisOf(config);
  if (source.type === "api") return new ServedLoader(resolved(source.url ?? "summary.json"), hysteresis);
  const list = source.type === "s3" ? new Bucket(base, source.prefix ?? "") : new Folder(base);
  return new FileLoader(list, config.timeframe, hysteresis);
}

/** A JSON file of the page. */
export async function loadJson(name) {
  const url = resolved(name);
  return jsonOf(await get(url, "no-cache"), url);
}

/** The details of a check, which an overview does not have. */
export async function loadDetail(id) {
  return readSummary(await loadJson(`detail/${encodeURIComponent(id)}.json`));
}

/** How many results begin and end an incident, by the name of the check, where it is not the default. */
function hysteresisOf(config) {
  return new Map((config.hysteresis ?? []).map(([name, failures, successes]) => [name, { failures, successes }]));
}

/** Loads from a server, which has all data in one file and sends its time. */
class ServedLoader {
  constructor(url, hysteresis) {
    this.url = url;
    this.hysteresis = hysteresis;
    this.data = null;
    this.etag = null;
    /** How far the server's clock is ahead of this computer, in milliseconds. */
    this.ahead = 0;
    /** Incremented with each change of the data. */
    this.version = 0;
    this.notes = [];
  }

  async *load() {
    const response = await get(this.url, "no-cache");
    const date = Date.parse(response.headers.get("date"));
    if (date) this.ahead = date - Date.now();
    const etag = response.headers.get("etag");
    if (!this.data || !etag || etag !== this.etag) {
      this.data = { ...readSummary(await jsonOf(response, this.url)), hysteresis: this.hysteresis };
      this.etag = etag;
      this.version += 1;
    }
    yield this.data;
  }
}

/** Loads the summary, if there is one, and the check files that are not in it. */
class FileLoader {
  constructor(list, timeframe, hysteresis) {
    this.list = list;
    this.timeframe = timeframe;
    this.hysteresis = hysteresis;
    this.ahead = 0;
    this.version = 0;
    this.notes = [];
    this.data = null;
    this.summary = { text: null, ok: false };
    /** Results of files that are not in the summary, by file name. */
    this.known = new Map();
    this.failures = new Map();
    this.listed = 0;
  }

  async *load(now) {
    this.notes = [];
    // An index is fetched together with the summary. In a bucket, only the files after the summary are listed.
    const whole = settled(this.list.isOneFile ? this.list.names() : null);
    const text = await this.list.summary();
    if (!this.data || text !== this.summary.text) {
      this.begin(text, now);
      await this.readParts(now);
    }
    if (!this.summary.ok && text !== null) this.notes.push(say("summary_unread"));
    const names = await (this.list.isOneFile ? whole : settled(this.list.names(this.listFrom(now), now)));
    if (names.error) {
      // The summary alone is better than nothing.
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

  /** The time from which check files are needed. */
  from(now) {
    return this.data && this.summary.ok ? this.data.recentFrom : now - this.timeframe;
  }

  /** The time from which names are listed: usually only the latest, and sometimes all, since a node may store queued reports late. */
  listFrom(now) {
    const from = this.from(now);
    this.listed += 1;
    return this.listed % 10 === 1 ? from : Math.max(from, now - LOOK_BACK);
  }

  /** Starts from a new summary, or from none. Files that were read before are not fetched again. */
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
        // It is derived from the check files, which still exist.
      }
    }
    this.data.hysteresis = this.hysteresis;
    for (const [name, results] of this.known) {
      if (this.data.files.has(name)) this.known.delete(name);
      else addResults(this.data, results);
    }
  }

  /** Reads the parts of the summary in the timeframe. They never change. */
  async readParts(now) {
    for (const { name } of this.data.parts.filter(({ to }) => (to + 1) * DAY > now - this.timeframe)) {
      try {
        addPart(this.data, await (await get(this.list.url(name), "force-cache")).json());
      } catch {
        this.data.problems.push(say("part_unread", { file: name }));
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
      this.notes.push(say("files_left_out", { n: wanted.length - room, most: FILES_IN_ALL }));
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

  /** Reads one file. If it is missing, truncated or of another kind, only its own results are lost. */
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

  /** The names of files that could not be read. */
  get unread() {
    return [...this.failures.keys()];
  }
}

/** A folder on a web server with an `index.json` in the format of the original Checkup. */
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
    return (await this.indexed()) ?? [];
  }

  /** The names in `index.json`, or null if there is none. */
  async indexed() {
    const text = await textOrNull(this.url("index.json"));
    if (text === null) return null;
    let index;
    try {
      index = JSON.parse(text);
    } catch {
      throw new Error(say("not_json", { file: "index.json" }));
    }
    if (typeof index !== "object" || index === null || Array.isArray(index))
      throw new Error(say("no_index", { file: "index.json" }));
    return Object.keys(index);
  }
}

/** A bucket that anonymous visitors may read. If they may not list it, its `index.json` has the names. */
class Bucket extends Folder {
  constructor(base, prefix) {
    super(base);
    this.prefix = prefix;
    this.isOneFile = false;
    /** Counts down the loads that use the index before the bucket is listed again. */
    this.indexLoads = 0;
  }

  url(name) {
    return new URL((this.prefix + name).split("/").map(encodeURIComponent).join("/"), this.base);
  }

  async names(from, now) {
    if (this.indexLoads > 0) {
      this.indexLoads -= 1;
      const names = await this.indexed();
      if (names) return names;
    }
    try {
      return await this.listed(from, now);
    } catch (error) {
      const { value: names } = await settled(this.indexed());
      if (!names) throw error;
      if (error.isRefusal) this.indexLoads = INDEX_LOADS;
      return names;
    }
  }

  /** The names from a time on. If there are too many because no summary is made, only those of the last days. */
  async listed(from, now) {
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

/** The outcome of a promise that is awaited later. */
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
    throw failure(error.name === "TimeoutError" ? "too_late" : "unreachable", url);
  }
  if (!response.ok)
    throw Object.assign(failure("http_status", url, response.status), { status: response.status });
  if (Number(response.headers.get("content-length")) > LARGEST) throw failure("too_large", url);
  return response;
}

/** The JSON value in a response. */
async function jsonOf(response, url) {
  try {
    return await response.json();
  } catch (error) {
    throw failure(error.name === "SyntaxError" ? "not_json" : "incomplete", url);
  }
}

/** The text of a file, or null if it does not exist. Buckets that may not be listed answer 401 or 403 for missing files. */
async function textOrNull(url) {
  try {
    return await (await get(url, "no-cache")).text();
  } catch (error) {
    if ([401, 403, 404].includes(error.status)) return null;
    throw error;
  }
}

/** The list of a bucket as a parsed XML document. XMLHttpRequest parses it without DOMParser, which the page's policy forbids. */
function getXml(url) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", url);
    request.responseType = "document";
    request.overrideMimeType("application/xml");
    request.timeout = TIMEOUT;
    request.onload = () => {
      const list = request.status === 200 ? request.response : null;
      if (list?.documentElement?.localName === "ListBucketResult") return resolve(list);
      const { status } = request;
      const isRefusal = [200, 401, 403, 404].includes(status);
      return reject(Object.assign(failure(status === 200 ? "no_list" : "http_status", null, status), { isRefusal }));
    };
    request.onerror = () => reject(failure("unreachable"));
    request.ontimeout = () => reject(failure("too_late"));
    request.send();
  });
}

/** An error about a file in words; without a URL, about the list of files. */
function failure(key, url, status) {
  const file = url ? url.pathname.split("/").at(-1) || say("page_data") : say("file_list");
  return new Error(say(key, { file, status: String(status), seconds: TIMEOUT / 1000 }));
}
