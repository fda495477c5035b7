//! A separate browser for each test: chromedriver, chromium, and helpers to drive them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::common::command::ExtensionCommand;
use thirtyfour::error::{WebDriverErrorInner, WebDriverResult};
use thirtyfour::session::http::{Body, HttpClient};
use thirtyfour::{Capabilities, WebDriver};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

const PATIENCE: Duration = Duration::from_secs(30);

/// A window size and a colour scheme.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) name: &'static str,
    width: u32,
    height: u32,
    scheme: &'static str,
}

pub(crate) const DESKTOP_LIGHT: View = View { name: "desktop-light", width: 1280, height: 900, scheme: "light" };
pub(crate) const DESKTOP_DARK: View = View { name: "desktop-dark", width: 1280, height: 900, scheme: "dark" };
pub(crate) const PHONE_LIGHT: View = View { name: "phone-light", width: 390, height: 844, scheme: "light" };
pub(crate) const PHONE_DARK: View = View { name: "phone-dark", width: 390, height: 844, scheme: "dark" };
pub(crate) const SMALL_PHONE: View = View { name: "small-phone", width: 360, height: 640, scheme: "light" };

/// A request that the browser made.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) url: String,
    pub(crate) status: u64,
    /// The bytes of heads and compressed bodies over the network.
    pub(crate) bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Browser {
    pub(crate) driver: WebDriver,
    process: Child,
    _profile: TempDir,
}

impl View {
    /// The same under another name.
    pub(crate) fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }
}

impl Browser {
    /// Starts a browser. It fails without chromedriver and chromium, since these tests run only on demand.
    pub(crate) async fn start() -> Self {
        let mut process = Command::new("chromedriver")
            .args(["--port=0", "--allowed-ips=127.0.0.1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver, which `.ci/browser` installs (Debian: chromium-driver)");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port: u16 = loop {
            let line = lines.next_line().await.unwrap().expect("chromedriver says its port");
            if let Some(port) = line.strip_prefix("ChromeDriver was started successfully on port ") {
                break port.trim_end_matches('.').parse().unwrap();
            }
        };
        // It continues to write, and must not wait for a reader.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let profile = TempDir::new().unwrap();
        let driver = WebDriver::builder(format!("http://127.0.0.1:{port}"), capabilities(profile.path()))
            .client(Http)
            .await
            .expect("chromium starts");
        Self { driver, process, _profile: profile }
    }

    /// Opens a page in a view, and waits until it shows data, or that there is none.
    pub(crate) async fn open(&self, url: &str, view: View) {
        let features = json!([{"name": "prefers-color-scheme", "value": view.scheme}]);
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features})).await;
        self.resize(view, view.height).await;
        self.driver.goto(url).await.unwrap();
        self.until("return !document.querySelector('main[aria-busy]')").await;
    }

    /// Sets the clock that pages opened from now on begin with, in milliseconds since 1970, and puts the browser into Berlin.
    ///
    /// The script runs before those of the page, and the page's policy does not apply to it.
    pub(crate) async fn set_clock(&self, now: i64) {
        let source = format!(
            "{{ const Own = Date; const ahead = {now} - Own.now(); globalThis.Date = class extends Own {{ \
             constructor(...parts) {{ if (parts.length) super(...parts); else super(Own.now() + ahead); }} \
             static now() {{ return Own.now() + ahead; }} }}; }}"
        );
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": source})).await;
        self.devtools("Emulation.setTimezoneOverride", json!({"timezoneId": "Europe/Berlin"})).await;
    }

    async fn resize(&self, view: View, height: u32) {
        let is_phone = view.width < 500;
        let scale = if is_phone { 2 } else { 1 };
        let metrics = json!({"width": view.width, "height": height, "deviceScaleFactor": scale, "mobile": is_phone});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Runs a script in the page, and returns its result.
    pub(crate) async fn eval(&self, script: &str) -> Value {
        let answer = self.driver.execute(script, Vec::new()).await.unwrap_or_else(|error| panic!("{script}: {error}"));
        answer.json().clone()
    }

    /// Runs a script in the page, and returns what it passes to its callback, `arguments[0]`.
    pub(crate) async fn eval_async(&self, script: &str) -> Value {
        let answer =
            self.driver.execute_async(script, Vec::new()).await.unwrap_or_else(|error| panic!("{script}: {error}"));
        answer.json().clone()
    }

    /// The text of the first element that a selector finds.
    pub(crate) async fn text(&self, selector: &str) -> String {
        let script = format!("return document.querySelector({}).innerText", json!(selector));
        self.eval(&script).await.as_str().unwrap_or_default().to_owned()
    }

    /// How many elements a selector finds.
    /// The values of a JavaScript expression of `entry` for every entry of the history: of all months, and with the short slowdowns.
    pub(crate) async fn entries(&self, value: &str) -> Value {
        let script = format!(
            "const all = []; document.querySelector('.filter input:not(:checked)')?.click(); \
             for (;;) {{ for (let more; (more = document.querySelector('#timeline [data-focus=more]')); ) more.click(); \
             all.push(...[...document.querySelectorAll('#timeline .entry')].map((entry) => {value})); \
             const earlier = document.querySelector('#timeline [data-focus=earlier]'); \
             if (!earlier) return all; earlier.click(); }}"
        );
        self.eval(&script).await
    }

    pub(crate) async fn count(&self, selector: &str) -> u64 {
        self.eval(&format!("return document.querySelectorAll({}).length", json!(selector))).await.as_u64().unwrap()
    }

    /// Waits until a script returns true.
    pub(crate) async fn until(&self, script: &str) {
        let start = Instant::now();
        while self.eval(script).await != Value::Bool(true) {
            assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {script}; {:?}", self.console().await);
            // Between two questions to another process, which has no event for it.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Presses a key, as a keyboard does.
    pub(crate) async fn press(&self, key: char) {
        let actions = json!([{"type": "key", "id": "keyboard", "actions": [
            {"type": "keyDown", "value": key.to_string()}, {"type": "keyUp", "value": key.to_string()}]}]);
        self.command("actions", json!({"actions": actions})).await;
    }

    /// Moves the mouse to the middle of an element.
    pub(crate) async fn hover(&self, selector: &str) {
        let script = format!(
            "const e = document.querySelector({}); e.scrollIntoView({{block: 'center', behavior: 'instant'}}); \
             const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2].map(Math.round)",
            json!(selector)
        );
        let place = self.eval(&script).await;
        let actions = json!([{"type": "pointer", "id": "mouse", "actions": [
            {"type": "pointerMove", "duration": 0, "x": place[0], "y": place[1]}]}]);
        self.command("actions", json!({"actions": actions})).await;
    }

    /// What the page and the browser wrote to the console since this was last asked, but for failed requests.
    pub(crate) async fn console(&self) -> Vec<String> {
        let log = self.command("se/log", json!({"type": "browser"})).await;
        let lines = log.as_array().unwrap().iter().filter(|line| line["source"] != "network");
        lines.map(|line| format!("{}: {}", line["level"], line["message"])).collect()
    }

    /// The requests since this was last asked.
    pub(crate) async fn exchanges(&self) -> Vec<Exchange> {
        let log = self.command("se/log", json!({"type": "performance"})).await;
        let events: Vec<Value> = log
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| serde_json::from_str::<Value>(entry["message"].as_str().unwrap()).unwrap()["message"].take())
            .collect();
        let of = |method: &str| {
            let method = method.to_owned();
            events.iter().filter(move |event| event["method"] == method.as_str()).map(|event| &event["params"])
        };
        let responses = of("Network.responseReceived").filter(|params| {
            let url = params["response"]["url"].as_str().unwrap();
            url.starts_with("http") && params["response"]["fromDiskCache"] != true
        });
        responses
            .map(|params| {
                let mut done = of("Network.loadingFinished");
                let id = &params["requestId"];
                let bytes = done
                    .find(|done| &done["requestId"] == id)
                    .map_or(0.0, |done| done["encodedDataLength"].as_f64().unwrap());
                // A 304 is reported as the 200 that it confirms. The extra information has the actual status.
                let mut extra = of("Network.responseReceivedExtraInfo");
                let status = extra
                    .find(|extra| &extra["requestId"] == id)
                    .map_or(&params["response"]["status"], |extra| &extra["statusCode"]);
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of bytes")]
                Exchange {
                    url: params["response"]["url"].as_str().unwrap().to_owned(),
                    status: status.as_u64().unwrap(),
                    bytes: bytes as u64,
                }
            })
            .collect()
    }

    /// Takes a screenshot of the whole page.
    pub(crate) async fn screenshot(&self, name: &str, view: View) {
        let height = self.eval("return document.documentElement.scrollHeight").await.as_u64().unwrap().min(2600);
        self.resize(view, u32::try_from(height).unwrap().max(view.height)).await;
        // Cards near the window are drawn in the frame after the browser reports them.
        let frames = "const done = arguments[0]; const frame = (left) => left ? requestAnimationFrame(() => frame(left - 1)) : done(); frame(5);";
        self.eval_async(frames).await;
        let image = self.driver.screenshot_as_png().await.unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}-{}.png", view.name)), image).unwrap();
        self.resize(view, view.height).await;
    }

    /// The page is as wide as the window, and no wider.
    pub(crate) async fn assert_no_overflow(&self) {
        let wide =
            self.eval("return document.documentElement.scrollWidth - document.documentElement.clientWidth").await;
        assert!(wide.as_i64().unwrap() <= 0, "the page is {wide} pixels wider than its window");
    }

    /// Nothing was written to the console: no error, and no violation of the policy.
    pub(crate) async fn assert_quiet(&self) {
        assert_eq!(self.console().await, Vec::<String>::new());
    }

    /// Ends the browser. Without this, dropping ends it as well, less gently.
    pub(crate) async fn close(mut self) {
        self.driver.quit().await.unwrap();
        self.process.kill().await.unwrap();
    }

    pub(crate) async fn devtools(&self, method: &str, params: Value) -> Value {
        self.command("goog/cdp/execute", json!({"cmd": method, "params": params})).await
    }

    async fn command(&self, path: &'static str, body: Value) -> Value {
        let answer = self
            .driver
            .cmd(thirtyfour::common::command::Command::ExtensionCommand(Box::new(Post { path, body })))
            .await;
        answer.and_then(|answer| answer.value_json()).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

/// The file that axe-core is in, which `.ci/browser` gets from npm.
pub(crate) fn axe() -> String {
    let file = std::env::var_os("CHECKUP_AXE").map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("npm/node_modules/axe-core/axe.min.js"),
        PathBuf::from,
    );
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}; `.ci/browser` gets it", file.display()))
}

fn capabilities(profile: &Path) -> Capabilities {
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--force-device-scale-factor=1",
        &format!("--user-data-dir={}", profile.display()),
    ];
    let capabilities = json!({
        "goog:chromeOptions": {"args": arguments},
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
    });
    capabilities.as_object().expect("it is one").clone().into()
}

/// A command that thirtyfour has not, or has otherwise.
#[derive(Debug)]
struct Post {
    path: &'static str,
    body: Value,
}

impl ExtensionCommand for Post {
    fn parameters_json(&self) -> Option<Value> {
        Some(self.body.clone())
    }

    fn method(&self) -> http::Method {
        http::Method::POST
    }

    fn endpoint(&self) -> Arc<str> {
        format!("/{}", self.path).into()
    }
}

/// What carries the commands: HTTP on loopback, without the TLS stack that thirtyfour's own client would bring.
#[derive(Debug)]
struct Http;

#[async_trait]
impl HttpClient for Http {
    async fn send(&self, request: Request<Body<'_>>) -> WebDriverResult<Response<Bytes>> {
        let (head, body) = request.into_parts();
        let body = match body {
            Body::Json(value) => Bytes::from(value.to_string()),
            Body::Empty => Bytes::new(),
        };
        exchange(Request::from_parts(head, Full::new(body)))
            .await
            .map_err(|error| WebDriverErrorInner::FatalError(error.to_string()).into())
    }

    async fn new(&self) -> Arc<dyn HttpClient> {
        Arc::new(Http)
    }
}

async fn exchange(
    mut request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, Box<dyn std::error::Error + Send + Sync>> {
    let authority = request.uri().authority().expect("an absolute URL").to_string();
    let stream = TcpStream::connect(&authority).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    request.headers_mut().insert(http::header::HOST, authority.parse()?);
    *request.uri_mut() = request.uri().path_and_query().expect("it has a path").as_str().parse()?;
    let (head, body) = sender.send_request(request).await?.into_parts();
    Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
}
