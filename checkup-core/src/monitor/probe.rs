//! [`Probe`]: what orchestrators and load balancers ask a service, and the answer from a monitor's latest results.

use std::fmt;
use std::ops::RangeInclusive;

use serde_json::json;

use crate::health::{self, CheckHealth, Question};
use crate::{Check, Status, Timestamp};

/// The code for what passes, and the default code for what is degraded.
const OK: u16 = 200;

/// The code for what does not pass.
const UNAVAILABLE: u16 = 503;

/// What an answer may have as its status code. The codes below 200 are not final answers.
const CODES: RangeInclusive<u16> = 200..=599;

/// A question that an orchestrator or a load balancer asks a service. [`Monitor::probe`](crate::Monitor::probe) answers it.
///
/// | Probe | Covers | Passes while | When it fails, Kubernetes |
/// |---|---|---|---|
/// | [`readiness`](Self::readiness) | checks tagged `readiness` | all have a fresh result and none is down, until the monitor [drains](crate::Monitor::drain) | sends no requests |
/// | [`liveness`](Self::liveness) | checks tagged `liveness` | none is known to be down | restarts the container |
/// | [`startup`](Self::startup) | checks tagged `startup` | each has been up once | waits, then restarts the container |
///
/// Degraded passes with 200: it is slow, and serves. [`degraded_status`](Self::degraded_status) sets another code.
///
/// ```
/// use checkup_core::Probe;
///
/// // Start-up waits for the same checks as readiness; a degraded check is not ready.
/// let startup = Probe::startup().tag("readiness");
/// let strict = Probe::readiness().degraded_status(503);
/// let all = Probe::readiness().all_checks();
/// # let _ = (startup, strict, all);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    kind: Kind,
    tag: Option<String>,
    degraded_status: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Readiness,
    Liveness,
    Startup,
}

/// The answer to a [`Probe`]: a status code, and a body in one of two forms.
///
/// Bodies name the checks and say why they are not healthy. They contain no endpoints.
#[derive(Clone, Debug)]
pub struct ProbeAnswer {
    status_code: u16,
    /// What there is to say besides the checks.
    note: Option<String>,
    checks: Vec<CheckHealth>,
    question: Question,
}

/// What a monitor knows of a check.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) health: CheckHealth,
    /// Whether it was ever up.
    pub(super) was_up: bool,
}

impl Probe {
    /// Whether requests can be served: every check with the tag `readiness` has a fresh result, and none is down.
    ///
    /// It fails while a check has no result or an [outdated](crate::history::freshness::validity) one, if no check has the tag, and
    /// from [`Monitor::drain`](crate::Monitor::drain) on.
    pub fn readiness() -> Self {
        Self::new(Kind::Readiness, "readiness")
    }

    /// Whether a restart would help: it fails only while a check with the tag `liveness` is down.
    ///
    /// A check without a result passes, since a restart would not produce one sooner. If no check has the tag, it always passes: the
    /// answer itself shows that the process is alive. Do not give the tag to a check of another service, such as a database: if that is
    /// down, all replicas would restart again and again.
    pub fn liveness() -> Self {
        Self::new(Kind::Liveness, "liveness")
    }

    /// Whether the service has started: every check with the tag `startup` has been up once, since the monitor started.
    ///
    /// Once passed, it passes forever. It fails if no check has the tag.
    pub fn startup() -> Self {
        Self::new(Kind::Startup, "startup")
    }

    fn new(kind: Kind, tag: &str) -> Self {
        Self { kind, tag: Some(tag.to_owned()), degraded_status: OK }
    }

    /// Covers the checks with this tag. Default: the name of the probe.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Covers all checks, whatever tags they have.
    #[must_use]
    pub fn all_checks(mut self) -> Self {
        self.tag = None;
        self
    }

    /// The status code if a check is degraded and none is down. From 200 to 399 the probe passes. Default: 200.
    ///
    /// # Panics
    ///
    /// If the code is not from 200 to 599.
    #[must_use]
    #[track_caller]
    pub fn degraded_status(mut self, code: u16) -> Self {
        assert!(CODES.contains(&code), "expected a status code from 200 to 599, found {code}");
        self.degraded_status = code;
        self
    }

    /// Whether the probe is about this check.
    pub(super) fn covers(&self, check: &Check) -> bool {
        self.tag.as_deref().is_none_or(|tag| check.has_tag(tag))
    }

    /// The answer, from what is known of the checks that it covers.
    pub(super) fn answer(&self, known: Vec<Known>, is_draining: bool, now: Timestamp) -> ProbeAnswer {
        let question = Question { now, max_age: None };
        let fresh = |known: &Known| (!known.health.is_stale(question)).then_some(known.health.status);
        let is_degraded = known.iter().any(|known| known.health.status == Status::Degraded);
        let is_draining = is_draining && self.kind == Kind::Readiness;
        let passes = match self.kind {
            _ if known.is_empty() => self.kind == Kind::Liveness,
            Kind::Readiness => !is_draining && known.iter().all(|known| fresh(known).is_some_and(Status::is_up)),
            Kind::Liveness => known.iter().all(|known| known.health.status != Status::Down),
            Kind::Startup => known.iter().all(|known| known.was_up),
        };
        let status_code = match passes {
            true if is_degraded && self.kind != Kind::Startup => self.degraded_status,
            true => OK,
            false => UNAVAILABLE,
        };
        let note = match &self.tag {
            _ if is_draining => Some("draining".to_owned()),
            Some(tag) if known.is_empty() => Some(format!("no check has the tag `{tag}`")),
            None if known.is_empty() => Some("there are no checks".to_owned()),
            _ => None,
        };
        let checks = known.into_iter().map(|known| known.health).collect();
        ProbeAnswer { status_code, note, checks, question }
    }
}

impl ProbeAnswer {
    /// The media type of [`health_json`](Self::health_json).
    pub const HEALTH_JSON: &str = "application/health+json";

    /// The status code for HTTP: 200 if the probe passes, 503 if not, and the [set one](Probe::degraded_status) for degraded.
    pub fn status_code(&self) -> u16 {
        self.status_code
    }

    /// Whether the probe passes: the status code is from 200 to 399.
    pub fn passes(&self) -> bool {
        self.status_code < 400
    }

    /// The body as plain text: a line for each check, with the reason if it is not healthy. The same as `Display`.
    pub fn text(&self) -> String {
        self.to_string()
    }

    /// The body in the format `application/health+json` (draft-inadarei-api-health-check-06).
    pub fn health_json(&self) -> String {
        // The draft ties `status` to the status code.
        let is_degraded = self.checks.iter().any(|check| check.status != Status::Healthy);
        let status = match self.passes() {
            false => "fail",
            true if is_degraded => "warn",
            true => "pass",
        };
        let mut body = json!({ "status": status });
        if let Some(note) = &self.note {
            body["output"] = json!(note);
        }
        if !self.checks.is_empty() {
            body["checks"] = health::details(&self.checks, self.question).into();
        }
        body.to_string()
    }

    /// The media type and the body for a request with this `Accept` header: JSON if it asks for `application/health+json` or
    /// `application/json`, otherwise plain text.
    ///
    /// ```
    /// # use checkup_core::{Checkup, Monitor, Probe};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let monitor = Monitor::builder(Checkup::builder().build()?).start()?;
    /// let answer = monitor.probe(&Probe::liveness());
    /// let (media_type, body) = answer.body_for(Some("application/health+json"));
    /// assert_eq!(media_type, "application/health+json");
    /// assert!(body.contains(r#""status":"pass""#));
    /// # Ok(())
    /// # }
    /// ```
    pub fn body_for(&self, accept: Option<&str>) -> (&'static str, String) {
        let accept = accept.unwrap_or_default().to_ascii_lowercase();
        let is_json = |range: &str| {
            let media_type = range.split(';').next().unwrap_or_default().trim();
            [Self::HEALTH_JSON, "application/json"].contains(&media_type)
        };
        match accept.split(',').any(is_json) {
            true => (Self::HEALTH_JSON, self.health_json()),
            false => ("text/plain; charset=utf-8", self.text()),
        }
    }
}

impl fmt::Display for ProbeAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(note) = &self.note {
            writeln!(f, "{note}")?;
        }
        f.write_str(&health::lines(&self.checks, self.question))
    }
}
