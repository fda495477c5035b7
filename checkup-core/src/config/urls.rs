//! Checks without a config file: [`Registry::checks_from_urls`].

use std::collections::HashMap;
use std::sync::Arc;

use super::from_url::CheckUrl;
use super::{Registry, suggest};
use crate::source::{Settings, Source};
use crate::{Check, ConfigError, ConfigErrorKind, ConfigProblems, SecretUrl};

impl Registry {
    /// The forms of URLs that stand for checks: `https://…`, `tcp://host:port`. Sorted.
    pub fn url_forms(&self) -> Vec<&'static str> {
        self.schemes.values().map(|scheme| scheme.form).collect()
    }

    /// The checks that URLs stand for, without a config file. Each is named after its URL, without the scheme and without credentials.
    ///
    /// ```
    /// # use std::borrow::Cow;
    /// # use checkup_core::{Checker, Checkup, ConfigError, Failure, Observation, async_trait};
    /// # use checkup_core::config::{CheckUrl, FromUrl, Registry};
    /// # #[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    /// # struct Redis { endpoint_url: String }
    /// # #[async_trait]
    /// # impl Checker for Redis {
    /// #     fn endpoint(&self) -> Cow<'_, str> { (&*self.endpoint_url).into() }
    /// #     async fn attempt(&self) -> Result<Observation, Failure> { Ok(Observation::new()) }
    /// # }
    /// # impl FromUrl for Redis {
    /// #     const FORMS: &'static [&'static str] = &["redis://host:port"];
    /// #     fn from_url(url: &CheckUrl<'_>) -> Result<Self, ConfigError> {
    /// #         Ok(Self { endpoint_url: url.address_only()?.to_owned() })
    /// #     }
    /// # }
    /// let mut registry = Registry::new();
    /// registry.checker_with_urls::<Redis>("redis");
    ///
    /// let checkup = Checkup::builder().checks(registry.checks_from_urls(["redis://cache:6379"])?).build()?;
    /// assert_eq!(checkup.checks().next().expect("a check").name(), "cache:6379");
    /// # Ok::<(), ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All problems together, each with its URL as its place.
    pub fn checks_from_urls(&self, urls: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Vec<Check>, ConfigError> {
        let urls: Vec<_> = urls.into_iter().collect();
        let shown: Vec<_> = urls.iter().map(|url| SecretUrl::from(url.as_ref()).to_string()).collect();
        let mut same = HashMap::<_, usize>::new();
        for shown in &shown {
            *same.entry(short(shown)).or_default() += 1;
        }
        let mut problems = ConfigProblems::new();
        let mut checks = Vec::new();
        for (url, shown) in urls.iter().zip(&shown) {
            // With and without TLS, say.
            let name = if same[short(shown)] > 1 { shown } else { short(shown) };
            checks.extend(problems.take(self.check(url.as_ref(), name).map_err(|error| of_url(&error, shown))));
        }
        problems.finish(|| Some(checks))
    }

    fn check(&self, text: &str, name: &str) -> Result<Check, ConfigError> {
        let url = CheckUrl::try_from(text).map_err(|_| self.without_scheme(text))?;
        let scheme = self.schemes.get(url.scheme()).ok_or_else(|| self.unknown_scheme(url.scheme()))?;
        let (checker, object) = (scheme.make)(&url)?;
        let settings_type = self.checkers.settings_type(&scheme.type_name);
        let settings_type = settings_type.ok_or_else(|| self.unknown_scheme(url.scheme()))?;
        let source = Source::new(&settings_type, Some(Settings { object: object.into(), variables: None }));
        Ok(Check::from_source(name.to_owned(), checker, Arc::default(), source))
    }

    fn unknown_scheme(&self, scheme: &str) -> ConfigError {
        // `https` is the scheme of the type `http`.
        let remedy = self.checkers.remedy(scheme).or_else(|| self.checkers.remedy(scheme.strip_suffix('s')?));
        let message = match remedy {
            Some(remedy) => format!("a check of `{scheme}://` is not compiled in; {remedy}"),
            None if self.schemes.is_empty() => format!("no check can be written as a URL of `{scheme}://`"),
            None => {
                let closest = suggest::closest(scheme, self.schemes.keys().map(String::as_str));
                let available = || format!(" (available: {})", suggest::list(self.url_forms()));
                let hint = closest.map_or_else(available, |known| format!("; did you mean `{known}://`?"));
                format!("unknown scheme `{scheme}://`{hint}")
            }
        };
        ConfigError::new(ConfigErrorKind::UnknownType, "", message)
    }

    /// The error for a text such as `db:5432`.
    fn without_scheme(&self, text: &str) -> ConfigError {
        let is_host = |host: &str| {
            let is_name = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
            (host == "localhost" || host.contains('.')) && host.chars().all(is_name)
        };
        let host = text.split('/').next().unwrap_or(text);
        let candidates: &[&str] = match host.rsplit_once(':') {
            Some((name, port)) if !name.is_empty() && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
                &["http", "tcp"]
            }
            None if is_host(host) => &["https"],
            _ => &[],
        };
        let known = candidates.iter().filter(|scheme| self.schemes.contains_key(**scheme));
        let meant: Vec<_> = known.map(|scheme| format!("`{scheme}://{text}`")).collect();
        let hint = match meant.as_slice() {
            [] => format!("; expected one of {}", suggest::list(self.url_forms())),
            meant => format!("; did you mean {}?", meant.join(" or ")),
        };
        ConfigError::reason("", format!("not a URL{hint}"))
    }
}

/// The URL without its scheme, and without the slash of an empty path.
fn short(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let short = rest.strip_suffix('/').filter(|rest| !rest.contains(['/', '?', '#'])).unwrap_or(rest);
    if short.is_empty() { url } else { short }
}

/// The same problems with the URL as their place. It is the only setting, so its key says nothing.
fn of_url(error: &ConfigError, shown: &str) -> ConfigError {
    let mut all = ConfigProblems::new();
    for problem in error.problems() {
        let message = match problem.place.as_str() {
            "" | "endpoint_url" => problem.message.clone(),
            key => format!("{key}: {}", problem.message),
        };
        all.push(ConfigError::new(problem.kind, shown, message));
    }
    match all.into_result() {
        Err(error) => error,
        Ok(()) => ConfigError::reason(shown, "invalid"),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use async_trait::async_trait;

    use super::super::{FromUrl, Kind};
    use super::*;
    use crate::{Checker, Failure, Observation};

    #[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    struct Wire {
        endpoint_url: String,
    }

    #[async_trait]
    impl Checker for Wire {
        fn endpoint(&self) -> Cow<'_, str> {
            Cow::Borrowed(&self.endpoint_url)
        }

        async fn attempt(&self) -> Result<Observation, Failure> {
            Ok(Observation::new())
        }
    }

    impl FromUrl for Wire {
        const FORMS: &'static [&'static str] = &["http://…", "tcp://host:port", "wires://host:port"];

        fn from_url(url: &CheckUrl<'_>) -> Result<Self, ConfigError> {
            let endpoint_url = if url.scheme() == "http" { url.as_str() } else { url.address_only()? };
            Ok(Self { endpoint_url: endpoint_url.to_owned() })
        }
    }

    fn registry() -> Registry {
        let mut registry = Registry::new();
        registry.checker_with_urls::<Wire>("wire").absent(Kind::Checker, "dns", "enable the feature `dns`");
        registry
    }

    fn names(urls: &[&str]) -> Vec<String> {
        registry().checks_from_urls(urls).unwrap().iter().map(|check| check.name().into_owned()).collect()
    }

    #[test]
    fn a_check_is_named_after_its_url_without_scheme_and_credentials() {
        for (url, name) in [
            ("tcp://db:5432", "db:5432"),
            ("TCP://db:5432", "db:5432"),
            ("http://shop.test/", "shop.test"),
            ("http://shop.test/health/", "shop.test/health/"),
            ("http://user:hunter2@shop.test/?token=t0ken", "shop.test/?token=[redacted]"),
        ] {
            assert_eq!(names(&[url]), [name]);
        }
        assert_eq!(names(&["tcp://a:1", "wires://a:1", "tcp://b:1"]), ["tcp://a:1", "wires://a:1", "b:1"]);
    }

    #[test]
    fn a_check_of_a_url_has_the_type_and_can_be_written_to_a_file() {
        let checks = registry().checks_from_urls(["wires://a:1"]).unwrap();
        let checkup = crate::Checkup::builder().checks(checks).build().unwrap();
        assert_eq!(checkup.checks().next().and_then(Check::type_name), Some("wire"));
        let written =
            serde_json::json!({ "checkers": [{ "type": "wire", "endpoint_name": "a:1", "endpoint_url": "a:1" }] });
        assert_eq!(serde_json::to_value(&checkup).unwrap(), written);
    }

    #[test]
    fn all_invalid_urls_are_reported_together_with_remedies() {
        let urls = [
            "tpc://db:5432",
            "ftp://user:hunter2@x",
            "dns://192.0.2.53/example.com",
            "localhost:8080",
            "db",
            "tcp://",
            "tcp://user:hunter2@db:5432",
            "tcp://db:5432/x",
            "://x",
        ];
        let error = registry().checks_from_urls(urls).unwrap_err();
        let expected = "\
tpc://db:5432: unknown scheme `tpc://`; did you mean `tcp://`?
ftp://x: unknown scheme `ftp://` (available: `http://…`, `tcp://host:port`, `wires://host:port`)
dns://192.0.2.53/example.com: a check of `dns://` is not compiled in; enable the feature `dns`
localhost:8080: not a URL; did you mean `http://localhost:8080` or `tcp://localhost:8080`?
db: not a URL; expected one of `http://…`, `tcp://host:port`, `wires://host:port`
tcp://: expected a host after `tcp://`
tcp://db:5432: a user has no effect in `tcp://`; remove what is before the `@`
tcp://db:5432/x: a path has no effect in `tcp://`; remove what is after the host and port
://x: not a URL; expected one of `http://…`, `tcp://host:port`, `wires://host:port`";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn another_type_of_the_same_name_takes_its_schemes_away() {
        let mut registry = registry();
        registry.checker::<Wire>("wire");
        assert!(registry.url_forms().is_empty());
        let error = registry.checks_from_urls(["tcp://a:1"]).unwrap_err().to_string();
        assert_eq!(error, "tcp://a:1: no check can be written as a URL of `tcp://`");
    }
}
