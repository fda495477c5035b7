//! The files of the page, made from the embedded ones and the settings.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use checkup_core::{Checkup, Quorum};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::config::link;
use crate::config::source::PageSource;
use crate::config::{Group, Link, Order, StatusPage, StatusText};
use crate::formats::representation::{Cache, Representation, hex};
use crate::page::assets::{INDEX, SCRIPT, STYLE};

/// The files that do not change with the data.
#[derive(Clone, Debug)]
pub(crate) struct PageFiles {
    settings: StatusPage,
    config: String,
    source: PageSource,
    script_url: String,
    /// The hash in the URL of the script.
    version: String,
    /// The latest `index.html` for another folder, and that folder.
    elsewhere: Arc<Mutex<Option<(String, Representation)>>>,
    /// `index.html` for when the other files are next to it.
    pub(crate) index: Representation,
    /// `page.js`, at its URL with the hash.
    pub(crate) script: Representation,
}

impl PageFiles {
    pub(crate) fn new(settings: &StatusPage, page: &PageConfig<'_>) -> Self {
        // The settings can always be written as JSON: all their keys are strings.
        let config = serde_json::to_string(page).unwrap_or_default().replace('<', "\\u003c");
        let version = hex(&Sha256::digest(SCRIPT.as_bytes()))[..12].to_owned();
        let script_url = format!("page.js?v={version}");
        let script = Representation::new("text/javascript; charset=utf-8", Cache::Immutable, SCRIPT.as_bytes());
        let source = page.source.clone();
        let nothing = Representation::new(HTML, Cache::Revalidate, "");
        let settings = settings.clone();
        let elsewhere = Arc::default();
        let mut files = Self { settings, config, source, script_url, version, elsewhere, index: nothing, script };
        files.index = files.make_index("");
        files
    }

    /// `page.js` at its URL with this `v`. It may be cached forever only if `v` is its hash.
    pub(crate) fn script_at(&self, version: Option<&str>) -> Representation {
        let cache = if version == Some(&self.version) { Cache::Immutable } else { Cache::Revalidate };
        self.script.clone().with_cache(cache)
    }

    /// `index.html` for when browsers find the other files in the folder `base` (`status/`).
    pub(crate) fn index_at(&self, base: &str) -> Representation {
        // Usually there is one folder. After a panic the value is still complete.
        let mut elsewhere = self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
        match &*elsewhere {
            Some((known, index)) if known == base => index.clone(),
            _ => elsewhere.insert((base.to_owned(), self.make_index(base))).1.clone(),
        }
    }

    fn make_index(&self, base: &str) -> Representation {
        let policy = self.policy();
        let script = format!("{base}{}", self.script_url);
        let values = [
            ("csp", escape(&policy)),
            ("title", escape(&self.settings.title)),
            ("description", escape(&plain(&self.settings.description))),
            ("base", escape(base)),
            ("script", escape(&script)),
            ("style", STYLE.to_owned()),
            ("config", self.config.clone()),
        ];
        let html = fill(INDEX, &values);
        Representation::new(HTML, Cache::Revalidate, html).with_policy(&format!("{policy}; frame-ancestors 'none'"))
    }

    fn policy(&self) -> String {
        let style = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
        let with = |origin: Option<String>| origin.map(|origin| format!(" {origin}")).unwrap_or_default();
        let images = with(self.settings.logo.as_deref().and_then(link::origin));
        let data = with(self.source.origin());
        format!(
            "default-src 'none'; script-src 'self'; style-src 'sha256-{style}'; img-src 'self' data:{images}; \
             connect-src 'self'{data}; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; \
             trusted-types 'none'"
        )
    }
}

/// The settings in the page (`web/FORMAT.md`).
#[derive(Debug, Serialize)]
pub(crate) struct PageConfig<'a> {
    version: u32,
    title: &'a str,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo: Option<&'a str>,
    links: &'a [Link],
    texts: &'a StatusText,
    groups: Vec<Group>,
    /// Whether the groups name all checks.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    complete: bool,
    order: Order,
    timeframe: u128,
    refresh: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    quorum: Option<usize>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    demo: bool,
    source: PageSource,
}

impl<'a> PageConfig<'a> {
    pub(crate) fn new(settings: &'a StatusPage, checkup: Option<&Checkup>, source: PageSource) -> Self {
        Self {
            version: 1,
            title: &settings.title,
            description: &settings.description,
            logo: settings.logo.as_deref(),
            links: &settings.links,
            texts: &settings.status_text,
            groups: groups(settings, checkup),
            complete: checkup.is_some_and(|checkup| checkup.checks().next().is_some()),
            order: settings.order,
            timeframe: settings.timeframe.as_millis(),
            refresh: settings.refresh_interval.as_millis(),
            quorum: None,
            demo: false,
            source,
        }
    }

    pub(crate) fn with_quorum(mut self, quorum: Quorum) -> Self {
        self.quorum = match quorum {
            Quorum::Majority => None,
            Quorum::AtLeast(count) => Some(count.get()),
        };
        self
    }

    pub(crate) fn into_groups(self) -> Vec<Group> {
        self.groups
    }

    pub(crate) fn with_demo(mut self, demo: bool) -> Self {
        self.demo = demo;
        self
    }
}

const HTML: &str = "text/html; charset=utf-8";

/// The groups of the settings, or else those that the checks name, followed by the checks without a group.
fn groups(settings: &StatusPage, checkup: Option<&Checkup>) -> Vec<Group> {
    for (group, name) in checkup.into_iter().flat_map(|checkup| unknown(settings, checkup)) {
        tracing::warn!(group, check = name, "a group of the status page names a check that does not exist");
    }
    let mut groups = settings.groups.clone();
    let mut rest = Group::new("", [""; 0]);
    for check in checkup.into_iter().flat_map(Checkup::checks) {
        let name = check.name();
        if groups.iter().chain([&rest]).any(|group| group.checks.iter().any(|known| *known == name)) {
            continue;
        }
        let own = check.policy().group.as_deref().filter(|own| settings.groups.is_empty() && !own.is_empty());
        let group = match own {
            None => &mut rest,
            Some(own) => {
                let place = groups.iter().position(|group| group.name == own).unwrap_or_else(|| {
                    groups.push(Group::new(own, [""; 0]));
                    groups.len() - 1
                });
                &mut groups[place]
            }
        };
        group.checks.push(name.into_owned());
    }
    groups.extend(Some(rest).filter(|rest| !rest.checks.is_empty()));
    groups
}

/// The names in the groups of the settings that are not names of checks. Empty if there are no checks.
fn unknown<'a>(settings: &'a StatusPage, checkup: &Checkup) -> Vec<(&'a str, &'a str)> {
    let known: HashSet<_> = checkup.checks().map(checkup_core::Check::name).collect();
    let named = settings.groups.iter().flat_map(|group| group.checks.iter().map(|name| (&*group.name, &**name)));
    named.filter(|(_, name)| !known.is_empty() && !known.contains(*name)).collect()
}

/// Replaces each `{{name}}` by its value. Placeholders inside values are not replaced.
fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut filled = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let found = values.iter().find_map(|(name, value)| {
            after.strip_prefix(name).and_then(|after| after.strip_prefix("}}")).map(|after| (value, after))
        });
        match found {
            Some((value, after)) => {
                filled.push_str(value);
                rest = after;
            }
            None => {
                filled.push_str("{{");
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// The longest description for search engines and for visitors without JavaScript, in characters.
const MAX_PLAIN: usize = 300;

/// A description without its markup, in one line.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('[') {
        let (before, link) = rest.split_at(start);
        plain.push_str(before);
        let parts = link[1..].split_once("](").and_then(|(label, after)| Some((label, after.split_once(')')?)));
        match parts.filter(|(label, _)| !label.contains(['[', ']', '\n'])) {
            Some((label, (_, after))) => {
                plain.push_str(label);
                rest = after;
            }
            None => {
                plain.push('[');
                rest = &link[1..];
            }
        }
    }
    plain.push_str(rest);
    let words = plain.split_whitespace().map(without_stars);
    let line = words.collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MAX_PLAIN { line } else { line.chars().take(MAX_PLAIN - 1).chain(['…']).collect() }
}

/// A word without the stars of emphasis, which are not between two letters or digits. A lone star stays.
fn without_stars(word: &str) -> String {
    let chars: Vec<_> = word.chars().collect();
    let is_word = |index: Option<usize>| index.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphanumeric());
    if !chars.iter().any(|c| c.is_alphanumeric()) {
        return word.to_owned();
    }
    let kept =
        chars.iter().enumerate().filter(|&(at, c)| *c != '*' || is_word(at.checked_sub(1)) && is_word(Some(at + 1)));
    kept.map(|(_, c)| c).collect()
}

/// Escapes text for elements and for attributes in double quotes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use checkup_core::check_fn;

    use super::*;

    fn index(settings: &StatusPage, source: PageSource) -> String {
        let files = PageFiles::new(settings, &PageConfig::new(settings, None, source));
        String::from_utf8(files.index.content().to_vec()).unwrap()
    }

    #[test]
    fn nothing_of_the_settings_becomes_markup() {
        let hostile = "</script><script>alert('1')</script>\"{{style}}";
        let settings = StatusPage::new().title(hostile).description(hostile).group(Group::new(hostile, [hostile]));
        let html = index(&settings, PageSource::Api);
        assert!(!html.contains("<script>alert"), "{html}");
        assert!(html.contains("&lt;/script&gt;&lt;script&gt;alert(&#39;1&#39;)"), "{html}");
        assert_eq!(html.matches(STYLE).count(), 1, "values are not filled in turn");
    }

    #[test]
    fn a_description_for_search_engines_has_no_markup() {
        for (text, expected) in [
            (
                "**Example Shop** is *fine*.\n[Write to us](mailto:ops@example.com), please",
                "Example Shop is fine. Write to us, please",
            ),
            ("2 * 3, 2*3, [x], [a](b", "2 * 3, 2*3, [x], [a](b"),
            ("", ""),
        ] {
            assert_eq!(plain(text), expected);
        }
        let long = plain(&"ä ".repeat(1000));
        assert_eq!((long.chars().count(), long.ends_with('…')), (300, true));
        let html = index(&StatusPage::new().description("**Shop**"), PageSource::Api);
        assert!(html.contains(r#"<meta name="description" content="Shop">"#), "{html}");
    }

    #[test]
    fn every_placeholder_is_filled() {
        let html = index(&StatusPage::new(), PageSource::Api);
        for name in ["title", "description", "csp", "style", "config", "script", "base"] {
            assert!(!html.contains(&format!("{{{{{name}}}}}")), "{name}");
        }
        assert!(html.contains("\"source\":{\"type\":\"api\"}"));
    }

    #[test]
    fn the_policy_names_the_logo_and_the_bucket_and_has_the_hash_of_the_style_in_the_page() {
        let settings = StatusPage::new().logo("https://cdn.example.com/logo.svg");
        let source = PageSource::S3 { url: "https://checks.example.com/".into(), prefix: "a/".into() };
        let html = index(&settings, source);
        assert!(html.contains("img-src &#39;self&#39; data: https://cdn.example.com;"), "{html}");
        assert!(html.contains("connect-src &#39;self&#39; https://checks.example.com;"), "{html}");
        let (_, rest) = html.split_once("<style>").expect("a style in the page");
        let (style, _) = rest.split_once("</style>").unwrap();
        let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
        assert!(html.contains(&format!("style-src &#39;sha256-{hash}&#39;")));
    }

    #[test]
    fn checks_are_grouped_by_the_settings_or_else_by_themselves() {
        let check = |name: &str, group: &str| check_fn(name, || async { Ok::<_, String>(()) }).group(group);
        let checks = [check("a", "Shop"), check("b", ""), check("c", "Shop"), check("d", "Mail")];
        let checkup = Checkup::builder().checks(checks).build().unwrap();
        let found = groups(&StatusPage::new(), Some(&checkup));
        assert_eq!(found, [Group::new("Shop", ["a", "c"]), Group::new("Mail", ["d"]), Group::new("", ["b"])]);
        let settings = StatusPage::new().group(Group::new("First", ["d"]));
        let found = groups(&settings, Some(&checkup));
        assert_eq!(found, [Group::new("First", ["d"]), Group::new("", ["a", "b", "c"])]);
        let settings = StatusPage::new().group(Group::new("First", ["d", "D"]));
        assert_eq!(unknown(&settings, &checkup), [("First", "D")]);
    }

    #[test]
    fn the_script_is_cached_forever_only_at_the_url_with_its_hash() {
        let settings = StatusPage::new();
        let files = PageFiles::new(&settings, &PageConfig::new(&settings, None, PageSource::Api));
        let (_, hash) = files.script_url.split_once("v=").unwrap();
        assert_eq!(files.script_at(Some(hash)).cache(), Cache::Immutable);
        for other in [None, Some(""), Some("0123456789ab")] {
            assert_eq!(files.script_at(other).cache(), Cache::Revalidate, "{other:?}");
        }
    }

    #[test]
    fn the_code_of_the_page_is_small() {
        let settings = StatusPage::new();
        let files = PageFiles::new(&settings, &PageConfig::new(&settings, None, PageSource::Api));
        let compressed = files.index.compressed_size() + files.script.compressed_size();
        assert!(compressed <= 40 * 1024, "{compressed} bytes");
    }
}
