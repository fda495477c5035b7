//! The Atom feed (RFC 4287) of incidents, messages and maintenance.

use checkup_core::{Status, Timestamp};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use sha2::{Digest, Sha256};

use crate::config::StatusPage;
use crate::formats::representation::hex;
use crate::formats::time::rfc3339;
use crate::formats::xml;
use crate::view::timeline::{Happening, HappeningKind};

/// The limit of entries.
const MAX_ENTRIES: usize = 100;

/// The feed of events, the latest first.
pub(crate) fn atom(settings: &StatusPage, happenings: &[Happening], now: Timestamp) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 1);
    // Writing to memory does not fail.
    if write(&mut writer, settings, happenings, now).is_err() {
        tracing::error!("cannot write the feed");
    }
    let mut feed = String::from_utf8_lossy(&writer.into_inner()).into_owned();
    feed.push('\n');
    feed
}

fn write(
    writer: &mut Writer<Vec<u8>>,
    settings: &StatusPage,
    happenings: &[Happening],
    now: Timestamp,
) -> std::io::Result<()> {
    let base = settings.url.as_deref().unwrap_or("./");
    let updated = happenings.iter().map(|happening| happening.updated(now)).max().unwrap_or(EPOCH);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    writer.create_element("feed").with_attribute(("xmlns", "http://www.w3.org/2005/Atom")).write_inner_content(
        |w| {
            element(w, "id", &id(&["feed", base, &settings.title]))?;
            element(w, "title", &settings.title)?;
            element(w, "updated", &rfc3339(updated))?;
            w.create_element("author").write_inner_content(|w| element(w, "name", &settings.title))?;
            w.create_element("link")
                .with_attributes([("rel", "alternate"), ("href", &*xml::text(base))])
                .write_empty()?;
            if settings.url.is_some() {
                let own = format!("{}/feed.atom", base.trim_end_matches('/'));
                w.create_element("link")
                    .with_attributes([("rel", "self"), ("href", &*xml::text(&own))])
                    .write_empty()?;
            }
            for happening in happenings.iter().take(MAX_ENTRIES) {
                w.create_element("entry").write_inner_content(|w| entry(w, settings, happening, now))?;
            }
            Ok(())
        },
    )?;
    Ok(())
}

fn entry(
    writer: &mut Writer<Vec<u8>>,
    settings: &StatusPage,
    happening: &Happening,
    now: Timestamp,
) -> std::io::Result<()> {
    let Happening { name, endpoint, from, to, text, updates, .. } = happening;
    let subject = name.as_deref().unwrap_or("All checks");
    let verb = if to.is_some() { "was" } else { "is" };
    let seen = if happening.is_last_seen { " when last seen" } else { "" };
    let (kind, title) = match &happening.kind {
        HappeningKind::Incident { status: Status::Degraded } => {
            ("incident", format!("{subject} {verb} degraded{seen}"))
        }
        HappeningKind::Incident { .. } => ("incident", format!("{subject} {verb} down{seen}")),
        HappeningKind::Message => ("message", format!("{subject}: message")),
        HappeningKind::Maintenance => ("maintenance", format!("{subject}: maintenance")),
    };
    // Two texts of one result have the same id, and each window of maintenance that recurs.
    let is_in_result = kind == "message" && happening.id.starts_with('r');
    let own_text = text.clone().filter(|_| is_in_result).unwrap_or_default();
    let own_begin = if kind == "maintenance" { from.unix_nanos().to_string() } else { String::new() };
    let scope = if name.is_some() { "one" } else { "all" };
    let endpoint = endpoint.as_deref().unwrap_or_default();
    element(writer, "id", &id(&[kind, scope, subject, endpoint, &happening.id, &own_begin, &own_text]))?;
    element(writer, "title", &title)?;
    element(writer, "published", &rfc3339(happening.published(now)))?;
    element(writer, "updated", &rfc3339(happening.updated(now)))?;
    let during = match (kind, to) {
        ("message", _) => String::new(),
        (_, Some(to)) => format!("From {} to {}. ", rfc3339(*from), rfc3339(*to)),
        (_, None) => format!("Since {}. ", rfc3339(*from)),
    };
    let mut content = format!("{during}{}", text.as_deref().unwrap_or_default()).trim_end().to_owned();
    for message in updates.iter().rev() {
        let state = message.state.map(|state| format!(" ({state})")).unwrap_or_default();
        content.push_str(&format!("\n\n{}{state}: {}", rfc3339(message.at), message.text));
    }
    if let Some(base) = settings.url.as_deref().filter(|_| kind == "incident") {
        let place = format!("{base}#incident-{}", happening.id);
        writer
            .create_element("link")
            .with_attributes([("rel", "alternate"), ("href", &*xml::text(&place))])
            .write_empty()?;
    }
    writer
        .create_element("content")
        .with_attribute(("type", "text"))
        .write_text_content(BytesText::new(&xml::text(&content)))?;
    Ok(())
}

fn element(writer: &mut Writer<Vec<u8>>, name: &str, text: &str) -> std::io::Result<()> {
    writer.create_element(name).write_text_content(BytesText::new(&xml::text(text)))?;
    Ok(())
}

/// A stable identifier: a UUID of version 8 (RFC 9562) from a hash.
fn id(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let mut bytes = hash.finalize();
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex(&bytes[..16]);
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

const EPOCH: Timestamp = Timestamp::from_unix_nanos(0);

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_nanos(1_800_000_000_000_000_000);

    fn ids(feed: &str) -> Vec<&str> {
        feed.lines().filter(|line| line.contains("<id>")).collect()
    }

    fn happening(kind: HappeningKind, name: &str, text: &str) -> Happening {
        let from = Timestamp::from_unix_nanos(1_700_000_000_123_456_789);
        let text = Some(text.into());
        let (name, endpoint) = (Some(name.into()), Some("https://example.com".into()));
        let mut happening = Happening {
            kind,
            name,
            endpoint,
            from,
            to: None,
            text,
            posted: Some(from),
            changed: Some(from),
            id: String::new(),
            is_last_seen: false,
            updates: Vec::new(),
        };
        happening.id = format!("{:?} {:?}", happening.name, happening.text);
        happening
    }

    #[test]
    fn the_feed_is_well_formed_whatever_is_in_it() {
        let hostile = "</title><script>alert('1')</script>\"&]]>\u{0}\u{1b}\u{fffe}\r\n";
        let settings = StatusPage::new().title(hostile).url("https://example.com/?a=\"&b=<");
        let kinds =
            [HappeningKind::Incident { status: Status::Down }, HappeningKind::Message, HappeningKind::Maintenance];
        let happenings = kinds.map(|kind| happening(kind, hostile, hostile));
        let feed = atom(&settings, &happenings, NOW);
        xml::assert_well_formed(&feed);
        assert!(!feed.contains("<script"), "{feed}");
        assert_eq!(feed.matches("<entry>").count(), 3);
    }

    #[test]
    fn an_incident_keeps_its_identifier_when_it_ends() {
        let open = happening(HappeningKind::Incident { status: Status::Down }, "API", "refused");
        let mut over = open.clone();
        over.text = Some("refused (at eu, us)".to_owned());
        over.to = Some(open.from.saturating_add(std::time::Duration::from_secs(60)));
        let feeds = [open, over].map(|h| atom(&StatusPage::new(), &[h], NOW));
        assert_eq!(ids(&feeds[0]), ids(&feeds[1]));
        assert!(feeds[0].contains("<title>API is down</title>") && feeds[1].contains("<title>API was down</title>"));
        assert!(
            feeds[1].contains("From 2023-11-14T22:13:20Z to 2023-11-14T22:14:20Z. refused (at eu, us)"),
            "{}",
            feeds[1]
        );
    }

    #[test]
    fn an_incident_has_a_permalink_and_what_was_posted_about_it() {
        let mut incident = happening(HappeningKind::Incident { status: Status::Down }, "API", "refused");
        incident.id = "0123456789abcdef".to_owned();
        let result = |text: &str, state: &str| {
            let mut result = checkup_core::CheckResult::of_post("API", "x", checkup_core::Post::new("a", NOW));
            result.message = Some(text.into());
            let mut json = serde_json::to_value(&result).unwrap();
            json["post"]["state"] = state.into();
            let mut summary = checkup_core::summary::Summary::new();
            summary.add(&[serde_json::from_value(json).unwrap()]);
            summary.posts().next().unwrap().message.clone()
        };
        incident.updates = vec![result("We look", "investigating"), result("A disk is full", "identified")];
        incident.is_last_seen = true;
        incident.to = Some(NOW);
        let feed = atom(&StatusPage::new().url("https://status.example.com/"), &[incident], NOW);
        assert!(feed.contains("href=\"https://status.example.com/#incident-0123456789abcdef\""), "{feed}");
        let latest = feed.find("(identified): A disk is full").unwrap();
        assert!(latest < feed.find("(investigating): We look").unwrap(), "the latest first");
        assert!(feed.contains("<title>API was down when last seen</title>"));
    }

    #[test]
    fn what_differs_has_another_identifier() {
        let incident = happening(HappeningKind::Incident { status: Status::Down }, "API", "refused");
        let mut elsewhere = incident.clone();
        elsewhere.endpoint = Some("https://example.org".into());
        elsewhere.id = "elsewhere".into();
        let said = happening(HappeningKind::Message, "API", "We know");
        let more = happening(HappeningKind::Message, "API", "It is fixed");
        let mut of_all = happening(HappeningKind::Maintenance, "All checks", "");
        let of_one = of_all.clone();
        of_all.name = None;
        let feed = atom(&StatusPage::new(), &[incident, elsewhere, said, more, of_all, of_one], NOW);
        let ids: std::collections::BTreeSet<_> = ids(&feed).into_iter().collect();
        assert_eq!(ids.len(), 1 + 6, "{feed}");
    }

    #[test]
    fn names_and_times_may_be_anything() {
        let mut what = happening(HappeningKind::Incident { status: Status::Down }, "Who was first was last", "");
        for nanos in [i64::MIN, i64::MAX] {
            what.from = Timestamp::from_unix_nanos(nanos);
            (what.posted, what.changed, what.to) = (Some(what.from), Some(what.from), None);
            let feed = atom(&StatusPage::new(), &[what.clone()], NOW);
            xml::assert_well_formed(&feed);
            assert!(feed.contains("<title>Who was first was last is down</title>"), "{feed}");
            assert!(atom(&StatusPage::new(), &[what.clone()], what.from).contains("<updated>"));
        }
    }
}
