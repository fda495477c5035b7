//! The files of the page, made from the embedded ones and the settings.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use checkup_core::ConfigError;
use sha2::{Digest, Sha256};

use super::page_config::PageConfig;
use super::plain::plain;
use super::shown::Shown;
use crate::config::files::Files;
use crate::config::source::PageSource;
use crate::config::texts::{self, Words};
use crate::config::{StatusPage, accent, link};
use crate::formats::representation::{Cache, JSON, Representation, hex};
use crate::page::assets::{INDEX, SCRIPT, STYLE};

/// How many variants of `index.html` are kept: usually there are one or two.
const MAX_VARIANTS: usize = 4;

/// The files that do not change with the data, and `index.html`, which says what is true now to visitors without JavaScript.
#[derive(Clone, Debug)]
pub(crate) struct PageFiles {
    settings: StatusPage,
    config: String,
    /// The same with the texts in German, which others load.
    german_config: String,
    texts: BTreeMap<String, Words>,
    source: PageSource,
    style: String,
    /// The texts of the HTML. A script replaces them if the visitor's language is another.
    words: Words,
    script_url: String,
    /// The hash in the URL of the script.
    version: String,
    /// The latest variants of `index.html`.
    variants: Arc<Mutex<Vec<(Variant, Representation)>>>,
    /// The texts in German.
    pub(crate) german: Representation,
    /// `page.js`, at its URL with the hash.
    pub(crate) script: Representation,
}

/// What `index.html` depends on: the folder with the other files as seen by browsers (`status/`), and the state of the checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Variant {
    base: String,
    shown: Option<Shown>,
    is_german: bool,
}

impl PageFiles {
    /// # Errors
    ///
    /// If a file that the settings name cannot be read or is invalid.
    pub(crate) fn new(settings: &StatusPage, page: &PageConfig<'_>) -> Result<Self, ConfigError> {
        let files = Files::read(settings)?;
        let mut german = files.texts.clone();
        german.insert("de".to_owned(), texts::of("de", &files.texts));
        let with = |words: &BTreeMap<String, Words>| {
            // The settings can always be written as JSON: all their keys are strings.
            serde_json::to_string(&page.clone().with_words(words)).unwrap_or_default().replace('<', "\\u003c")
        };
        let german_config = with(&german);
        let config =
            if settings.language.as_deref() == Some("de") { german_config.clone() } else { with(&files.texts) };
        let accent = settings.accent.as_deref().and_then(accent::css).unwrap_or_default();
        let version = hex(&Sha256::digest(SCRIPT.as_bytes()))[..12].to_owned();
        Ok(Self {
            config,
            german_config,
            german: Representation::new(JSON, Cache::Revalidate, texts::GERMAN.as_bytes()),
            source: page.source().clone(),
            style: [&STYLE, &accent, &files.style].map(String::as_str).concat(),
            words: texts::of(settings.language.as_deref().unwrap_or("en"), &files.texts),
            texts: files.texts,
            script_url: format!("page.js?v={version}"),
            version,
            variants: Arc::default(),
            script: Representation::new("text/javascript; charset=utf-8", Cache::Immutable, SCRIPT.as_bytes()),
            settings: settings.clone(),
        })
    }

    /// `page.js` at its URL with this `v`. It may be cached forever only if that is its hash.
    pub(crate) fn script_at(&self, version: Option<&str>) -> Representation {
        let cache = if version == Some(&self.version) { Cache::Immutable } else { Cache::Revalidate };
        self.script.clone().with_cache(cache)
    }

    /// `index.html` next to the other files, without a state.
    pub(crate) fn index(&self) -> Representation {
        self.index_with("", None, "")
    }

    /// `index.html` for when browsers find the other files in the folder `base` (`status/`), with the state of the checks, for a visitor who
    /// prefers these languages, as in `Accept-Language`.
    pub(crate) fn index_with(&self, base: &str, shown: Option<Shown>, languages: &str) -> Representation {
        let is_german = self.settings.language.is_none() && texts::prefers_german(languages, &self.texts);
        let variant = Variant { base: base.to_owned(), shown, is_german };
        // After a panic the values are still complete.
        let mut variants = self.variants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, index)) = variants.iter().find(|(known, _)| *known == variant) {
            return index.clone();
        }
        let index = self.make_index(&variant);
        if variants.len() >= MAX_VARIANTS {
            variants.remove(0);
        }
        variants.push((variant, index.clone()));
        index
    }

    /// The texts of the HTML.
    pub(crate) fn words(&self) -> &Words {
        &self.words
    }

    fn make_index(&self, Variant { base, shown, is_german }: &Variant) -> Representation {
        let policy = self.policy();
        let say = |key: &str| texts::say(&self.words, key, &[]);
        let settings = &self.settings;
        let description = plain(&settings.description);
        let (headline, subline) = match shown {
            Some(shown) => (shown.headline.clone(), shown.subline.clone()),
            None => (say("loading"), say("one_moment")),
        };
        let values = [
            ("csp", escape(&policy)),
            ("lang", escape(settings.language.as_deref().unwrap_or("en"))),
            ("state", shown.as_ref().map_or("loading", |shown| shown.state).to_owned()),
            ("title", escape(&settings.title)),
            ("description", escape(&description)),
            ("head", self.head(base, &description)),
            ("logo", self.logo(base)),
            ("headline", escape(&headline)),
            ("subline", escape(&subline)),
            ("noscript", self.noscript(base, shown.as_ref())),
            ("base", escape(base)),
            ("script", escape(&format!("{base}{}", self.script_url))),
            ("style", self.style.clone()),
            ("config", if *is_german { &self.german_config } else { &self.config }.clone()),
        ];
        let html = fill(INDEX, &values);
        let ancestors = match &settings.frame_ancestors[..] {
            [] => "'none'".to_owned(),
            origins => format!("'self' {}", origins.join(" ")),
        };
        Representation::new(HTML, Cache::Revalidate, html)
            .with_policy(&format!("{policy}; frame-ancestors {ancestors}"))
    }

    /// The icon, and what chats and social networks show of a link to the page (Open Graph).
    fn head(&self, base: &str, description: &str) -> String {
        let settings = &self.settings;
        let icon = settings.favicon.as_deref().map_or_else(|| ICON.to_owned(), |url| escape(&at(base, url)));
        let mut lines = vec![format!(r#"<link rel="icon" href="{icon}">"#)];
        let properties = [
            ("og:type", Some("website")),
            ("og:title", Some(&*settings.title)),
            ("og:description", Some(description).filter(|text| !text.is_empty())),
            ("og:url", settings.url.as_deref()),
            ("og:image", settings.image.as_deref()),
        ];
        for (name, value) in properties {
            lines.extend(value.map(|value| format!(r#"<meta property="{name}" content="{}">"#, escape(value))));
        }
        lines.extend(settings.url.as_deref().map(|url| format!(r#"<link rel="canonical" href="{}">"#, escape(url))));
        lines.join("\n")
    }

    fn logo(&self, base: &str) -> String {
        let Some(logo) = self.settings.logo.as_deref().or(self.settings.logo_dark.as_deref()) else {
            return String::new();
        };
        let image = format!(r#"<img src="{}" alt="" height="28">"#, escape(&at(base, logo)));
        match self.settings.logo_dark.as_deref() {
            Some(dark) => {
                let source = escape(&at(base, dark));
                format!(r#"<picture><source media="(prefers-color-scheme: dark)" srcset="{source}">{image}</picture>"#)
            }
            None => image,
        }
    }

    /// What visitors without JavaScript see below the banner.
    fn noscript(&self, base: &str, shown: Option<&Shown>) -> String {
        let feed = format!(
            r#"<p><a href="{0}feed.atom">{1}</a></p>"#,
            escape(base),
            escape(&texts::say(&self.words, "feed", &[]))
        );
        let Some(shown) = shown else {
            return format!("<p>{}</p>{feed}", escape(&texts::say(&self.words, "needs_script", &[])));
        };
        let list = |lines: &[String]| {
            let items: String =
                lines.iter().map(|line| format!(r#"<li class="plain">{}</li>"#, escape(line))).collect();
            format!("<ul>{items}</ul>")
        };
        let sections =
            [("incidents_now", &shown.problems), ("maintenance_now", &shown.maintenance), ("checks", &shown.checks)];
        let html: String = sections
            .into_iter()
            .filter(|(_, lines)| !lines.is_empty())
            .map(|(key, lines)| format!("<h2>{}</h2>{}", escape(&texts::say(&self.words, key, &[])), list(lines)))
            .collect();
        format!("{html}{feed}")
    }

    fn policy(&self) -> String {
        let style = STANDARD.encode(Sha256::digest(self.style.as_bytes()));
        let with = |origin: Option<String>| origin.map(|origin| format!(" {origin}")).unwrap_or_default();
        let settings = &self.settings;
        let mut images: Vec<_> = [&settings.logo, &settings.logo_dark, &settings.favicon]
            .into_iter()
            .filter_map(|image| link::origin(image.as_deref()?))
            .collect();
        images.dedup();
        let images: String = images.into_iter().map(|origin| with(Some(origin))).collect();
        let data = with(self.source.origin());
        format!(
            "default-src 'none'; script-src 'self'; style-src 'sha256-{style}'; img-src 'self' data:{images}; \
             connect-src 'self'{data}; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; \
             trusted-types 'none'"
        )
    }
}

const HTML: &str = "text/html; charset=utf-8";

/// The icon until the state is known.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='7' fill='%238a929d'/%3E%3C/svg%3E";

/// A URL of the settings as seen from `index.html`: relative ones are relative to the other files.
fn at(base: &str, url: &str) -> String {
    let is_relative = matches!(url::Url::parse(url), Err(url::ParseError::RelativeUrlWithoutBase));
    if is_relative && !url.starts_with('/') { format!("{base}{url}") } else { url.to_owned() }
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

/// Escapes text for elements and for attributes in double quotes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Group, Link};

    fn files(settings: &StatusPage, source: PageSource) -> PageFiles {
        PageFiles::new(settings, &PageConfig::new(settings, None, source)).unwrap()
    }

    fn index(settings: &StatusPage, source: PageSource) -> String {
        String::from_utf8(files(settings, source).index().content().to_vec()).unwrap()
    }

    #[test]
    fn nothing_of_the_settings_becomes_markup() {
        let hostile = "</script><script>alert('1')</script>\"{{style}}";
        let settings = StatusPage::new().title(hostile).description(hostile).group(Group::new(hostile, [hostile]));
        let html = index(&settings, PageSource::Api);
        assert!(!html.contains("<script>alert"), "{html}");
        assert!(html.contains("&lt;/script&gt;&lt;script&gt;alert(&#39;1&#39;)"), "{html}");
        assert_eq!(html.matches(STYLE.as_str()).count(), 1, "values are not filled in turn");
    }

    #[test]
    fn every_placeholder_is_filled() {
        let html = index(&StatusPage::new(), PageSource::Api);
        assert!(!html.contains("{{"), "{html}");
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
    fn the_script_is_cached_forever_only_at_the_url_with_its_hash() {
        let settings = StatusPage::new();
        let files = files(&settings, PageSource::Api);
        let (_, hash) = files.script_url.split_once("v=").unwrap();
        assert_eq!(files.script_at(Some(hash)).cache(), Cache::Immutable);
        for other in [None, Some(""), Some("0123456789ab")] {
            assert_eq!(files.script_at(other).cache(), Cache::Revalidate, "{other:?}");
        }
    }

    #[test]
    fn texts_in_german_are_only_in_pages_for_those_who_prefer_them() {
        let index = |settings: &StatusPage, languages: &str| {
            let index = files(settings, PageSource::Api).index_with("", None, languages);
            String::from_utf8(index.content().to_vec()).unwrap()
        };
        let has_german = |html: &str| html.contains("Zu den Prüfungen springen");
        assert!(has_german(&index(&StatusPage::new(), "de-AT,en")));
        assert!(!has_german(&index(&StatusPage::new(), "en,de")));
        assert!(has_german(&index(&StatusPage::new().language("de"), "en")));
        assert!(!has_german(&index(&StatusPage::new().language("en"), "de")));
    }

    #[test]
    fn the_code_of_the_page_is_small() {
        let settings = StatusPage::new();
        let files = files(&settings, PageSource::Api);
        let compressed = files.index().compressed_size() + files.script.compressed_size();
        assert!(compressed <= 45 * 1024, "{compressed} bytes");
    }

    #[test]
    fn the_look_of_the_settings_is_in_the_page_and_its_policy() {
        let dir = tempfile::tempdir().unwrap();
        let style = dir.path().join("own.css");
        std::fs::write(&style, ".brand { text-transform: uppercase; }").unwrap();
        let settings = StatusPage::new()
            .logo("logo.svg")
            .logo_dark("https://cdn.example.com/dark.svg")
            .favicon("https://icons.example.com/icon.png")
            .image("https://cdn.example.com/card.png")
            .url("https://status.example.com/")
            .description("How **we** are")
            .accent("#0b7a75")
            .style(&style)
            .footer_link(Link::new("Imprint", "https://example.com/imprint"))
            .frame_ancestor("https://intranet.example.com");
        let files = files(&settings, PageSource::Api);
        let index = files.index_with("./status/", None, "");
        let html = std::str::from_utf8(index.content()).unwrap();
        for part in [
            r#"<source media="(prefers-color-scheme: dark)" srcset="https://cdn.example.com/dark.svg"><img src="./status/logo.svg" alt="" height="28">"#,
            r#"<link rel="icon" href="https://icons.example.com/icon.png">"#,
            r#"<meta property="og:image" content="https://cdn.example.com/card.png">"#,
            r#"<meta property="og:description" content="How we are">"#,
            r#"<link rel="canonical" href="https://status.example.com/">"#,
            "4px solid #0b7a75",
            ".brand { text-transform: uppercase; }</style>",
            r#""footer":[{"text":"Imprint","url":"https://example.com/imprint"}]"#,
        ] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        let answer: http::Response<axum::body::Body> = index.respond(&http::HeaderMap::new());
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'self' https://intranet.example.com"), "{policy}");
        assert!(policy.contains("img-src 'self' data: https://cdn.example.com https://icons.example.com;"), "{policy}");
        let (_, rest) = html.split_once("<style>").unwrap();
        let hash = STANDARD.encode(Sha256::digest(rest.split_once("</style>").unwrap().0.as_bytes()));
        assert!(policy.contains(&format!("style-src 'sha256-{hash}'")), "{policy}");
    }

    #[test]
    fn the_html_says_what_is_true_now_and_few_variants_are_kept() {
        let settings = StatusPage::new().language("de");
        let files = files(&settings, PageSource::Api);
        let shown = |headline: &str| Shown {
            state: "down",
            headline: headline.to_owned(),
            subline: "1 ausgefallen".to_owned(),
            checks: vec!["Shop <b>: ausgefallen".to_owned()],
            ..Shown::default()
        };
        let index = files.index_with("", Some(shown("Ausfall")), "");
        let html = std::str::from_utf8(index.content()).unwrap();
        assert!(
            html.contains(r#"<html lang="de" data-state="down">"#)
                && html.contains(r#"<h1 id="headline">Ausfall</h1>"#)
        );
        assert!(
            html.contains(r#"<h2>Prüfungen</h2><ul><li class="plain">Shop &lt;b&gt;: ausgefallen</li></ul>"#),
            "{html}"
        );
        for number in 0..20 {
            files.index_with("", Some(shown(&number.to_string())), "");
        }
        assert_eq!(files.variants.lock().unwrap().len(), MAX_VARIANTS);
    }
}
