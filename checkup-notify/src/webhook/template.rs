//! [`Template`]: the body of a webhook, in the language of Jinja.

use std::fmt;

use checkup_core::{Alert, AlertStep, ConfigError, ErrorChain, Notification, NotifyError, Timestamp};
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior, Value};

use crate::document::{MAX_BYTES, documents};

/// The name of the only template.
const NAME: &str = "body";

/// How many instructions a template may execute: enough for a loop over thousands of alerts.
const FUEL: u64 = 1_000_000;

/// A text with every character that a format interprets, to try a template with.
const HOSTILE: &str = "\"quoted\" 'text' \\ <b>&amp;</b> {{ title }} {% x %}\r\n\u{7}";

/// A template that has been tried.
pub(super) struct Template {
    environment: Environment<'static>,
}

impl Template {
    /// Compiles a template, and tries it with a sample. If it is of JSON, what it makes must be JSON.
    pub(super) fn new(source: &str, content_type: &str) -> Result<Self, ConfigError> {
        let content_type = content_type.trim().to_ascii_lowercase();
        let is_json = content_type.contains("json");
        let escape = match () {
            () if is_json => AutoEscape::Json,
            () if content_type.contains("html") || content_type.contains("xml") => AutoEscape::Html,
            () if content_type.starts_with(FORM_TYPE) => AutoEscape::Custom(FORM.into()),
            () => AutoEscape::None,
        };
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(move |_| escape.clone());
        environment.set_formatter(format);
        environment
            .add_template_owned(NAME, source.to_owned())
            .map_err(|error| ConfigError::invalid("", format!("expected a template: {}", ErrorChain(&error))))?;
        let template = Self { environment };
        for sample in samples().iter().filter_map(|sample| documents(sample).next()) {
            let made = template.fill(&sample);
            let made =
                made.map_err(|error| ConfigError::invalid("", format!("the template fails for a sample: {error}")))?;
            if is_json && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&made) {
                let remedy = "a value such as {{ title }} is written with its quotes";
                return Err(ConfigError::invalid("", format!("the template makes invalid JSON ({error}); {remedy}")));
            }
        }
        Ok(template)
    }

    /// The body for a notification. If that is too large, or takes too long, it is made of fewer and shorter values.
    pub(super) fn render(&self, notification: &Notification) -> Result<String, NotifyError> {
        let mut last = String::new();
        for document in documents(notification) {
            match self.fill(&document) {
                Ok(body) => return Ok(body),
                Err(error) => last = error,
            }
        }
        Err(NotifyError::permanent(format!("webhook: the template of `body` fails: {last}")))
    }

    fn fill(&self, document: &serde_json::Value) -> Result<String, String> {
        let template = self.environment.get_template(NAME).map_err(|error| ErrorChain(&error).to_string())?;
        let mut body = Bounded(Vec::new());
        template.render_captured_to(Serde(document), &mut body).map(drop).map_err(|error| match body.0.len() {
            MAX_BYTES.. => "the body is larger than 512 KiB".to_owned(),
            _ => ErrorChain(&error).to_string(),
        })?;
        String::from_utf8(body.0).map_err(|error| error.to_string())
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may contain a token.
        f.write_str("Template")
    }
}

/// A buffer that refuses more than a limit.
struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(bytes);
        if self.0.len() > MAX_BYTES { Err(std::io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const FORM: &str = "form";
const FORM_TYPE: &str = "application/x-www-form-urlencoded";

/// Writes a value as its format requires.
fn format(output: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    if !matches!(state.auto_escape(), AutoEscape::Custom(_)) || value.is_safe() {
        return minijinja::escape_formatter(output, state, value);
    }
    if value.is_undefined() {
        return Err(minijinja::ErrorKind::UndefinedError.into());
    }
    let text = if value.is_none() { String::new() } else { value.to_string() };
    let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    output.write_str(&encoded).map_err(|_| minijinja::Error::from(minijinja::ErrorKind::WriteFailure))
}

/// What a template is tried with: an alert with everything and one with nothing that can be absent.
fn samples() -> [Notification; 2] {
    let onset = Timestamp::from_unix_nanos(0);
    let mut full = Alert::new(AlertStep::Up, HOSTILE, HOSTILE, onset);
    let text = || Some(HOSTILE.to_owned());
    (full.group, full.reason, full.page, full.runbook, full.cause, full.note) =
        (text(), text(), text(), text(), text(), text());
    full.locations = vec![text(), None];
    full.also_affected = vec![HOSTILE.to_owned()];
    let empty = Alert::new(AlertStep::Down, "check", "", onset);
    [Notification::new(vec![full, empty.clone()]), Notification::new(vec![empty])]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(source: &str, content_type: &str) -> String {
        let document = serde_json::json!({ "title": "a \"b\" & <c>", "severity": "critical" , "id": "", "text": "", "alerts": [] });
        Template::new(source, content_type).unwrap().fill(&document).unwrap()
    }

    #[test]
    fn values_are_escaped_for_the_bodys_type() {
        assert_eq!(rendered("{\"t\": {{ title }}}", "application/json"), "{\"t\": \"a \\\"b\\\" & <c>\"}");
        assert_eq!(
            rendered("<p>{{ title }}</p>", "text/html; charset=utf-8"),
            "<p>a &quot;b&quot; &amp; &lt;c&gt;</p>"
        );
        assert_eq!(rendered("t={{ title }}&x=1", FORM_TYPE), "t=a+%22b%22+%26+%3Cc%3E&x=1");
        assert_eq!(rendered("{{ title }}", "text/plain"), "a \"b\" & <c>");
    }

    #[test]
    fn a_template_that_cannot_be_used_is_an_error_of_the_settings() {
        let error = |source: &str| Template::new(source, "application/json").unwrap_err().to_string();
        assert!(error("{{ title").contains("expected a template"), "{}", error("{{ title"));
        assert!(error("{{ titel }}").contains("fails for a sample"), "{}", error("{{ titel }}"));
        assert!(
            error("{\"t\": \"{{ title }}\"}").contains("makes invalid JSON"),
            "{}",
            error("{\"t\": \"{{ title }}\"}")
        );
        assert!(
            error("{% for a in range(100000) %}{% for b in range(100000) %}1{% endfor %}{% endfor %}")
                .contains("fails")
        );
    }

    #[test]
    fn a_body_that_is_too_large_has_fewer_alerts() {
        let template = Template::new(
            "{% for alert in alerts %}{{ alert.name }}{% for part in range(30) %}{{ alert.reason }}{% endfor %} {% endfor %}",
            "text/plain",
        );
        let alert = |number| {
            let mut alert =
                Alert::new(AlertStep::Down, format!("check-{number:04}"), "", Timestamp::from_unix_nanos(0));
            alert.reason = Some("r".repeat(500));
            alert
        };
        let body = template.unwrap().render(&Notification::new((0..400).map(alert).collect())).unwrap();
        assert!(body.starts_with("check-0000r") && body.len() <= MAX_BYTES, "{}", body.len());
        assert_eq!(body.matches("check-").count(), 10);
    }

    #[test]
    fn a_body_is_bounded() {
        let error =
            Template::new("{% for a in range(9000) %}{{ \"x\" * 1000 }}{% endfor %}", "text/plain").unwrap_err();
        assert!(error.to_string().contains("larger than 512 KiB"), "{error}");
    }
}
