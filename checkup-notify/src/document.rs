//! A notification as JSON, for webhooks and commands: a format that programs read.

use checkup_core::{Alert, Notification};
use serde_json::{Value, json};

use crate::limit::{Limit, Unit};

/// How large a document is, and a body that a template makes.
pub(crate) const MAX_BYTES: usize = 512 << 10;

/// How many characters each text has, and how many alerts there are, in the whole document and in ever smaller ones.
const SIZES: [(usize, usize); 4] = [(4096, 1000), (500, 300), (200, 100), (60, 10)];

/// The notification as documents that are ever smaller. Only the first is needed, unless it is too large.
pub(crate) fn documents(notification: &Notification) -> impl Iterator<Item = Value> {
    SIZES
        .into_iter()
        .map(|(characters, count)| Size { text: Limit::new(characters, Unit::Chars), count }.of(notification))
}

/// The largest document that fits, as text.
pub(crate) fn document(notification: &Notification) -> String {
    let mut text = String::new();
    for document in documents(notification) {
        text = document.to_string();
        if text.len() <= MAX_BYTES {
            break;
        }
    }
    text
}

/// How much of a notification is in a document.
struct Size {
    text: Limit,
    count: usize,
}

impl Size {
    /// Texts are as they are in the checks, without escapes; `text` and the titles are in words.
    fn of(&self, notification: &Notification) -> Value {
        let message = notification.message();
        json!({
            "id": notification.id(),
            "title": message.title,
            "severity": message.severity.as_str(),
            "text": message.to_string(),
            "count": notification.alerts.len(),
            "alerts": notification.alerts.iter().take(self.count).map(|alert| self.alert(alert)).collect::<Vec<_>>(),
        })
    }

    fn alert(&self, alert: &Alert) -> Value {
        let text = |text: &str| self.text.cut(text);
        let optional = |text: &Option<String>| text.as_deref().map(|text| self.text.cut(text));
        json!({
            "step": alert.step.as_str(),
            "kind": alert.kind.as_str(),
            "severity": alert.severity().as_str(),
            "status": alert.status.as_str(),
            "title": alert.title(),
            "id": alert.id,
            "key": alert.key,
            "delivery_id": alert.delivery_id(),
            "reminder": alert.reminder,
            "name": text(&alert.name),
            "group": optional(&alert.group),
            "endpoint": text(&alert.endpoint),
            "reason": optional(&alert.reason),
            "locations": alert.locations.iter().take(self.count).map(optional).collect::<Vec<_>>(),
            "of_locations": alert.of_locations,
            "onset": alert.onset.to_string(),
            "ended": alert.ended.map(|ended| ended.to_string()),
            "at": alert.at.to_string(),
            "page": optional(&alert.page),
            "runbook": optional(&alert.runbook),
            "cause": optional(&alert.cause),
            "also_affected": alert.also_affected.iter().take(self.count).map(|name| text(name)).collect::<Vec<_>>(),
            "note": optional(&alert.note),
            "is_test": alert.is_test,
        })
    }
}

#[cfg(test)]
mod tests {
    use checkup_core::{AlertStep, Timestamp};

    use super::*;

    fn notification(count: usize, length: usize) -> Notification {
        let text = "\u{7}\"é".repeat(length / 3);
        let alert = |number| {
            let mut alert =
                Alert::new(AlertStep::Down, format!("{number} {text}"), text.as_str(), Timestamp::from_unix_nanos(0));
            alert.reason = Some(text.clone());
            alert.also_affected = vec![text.clone(); 20];
            alert.locations = vec![Some(text.clone()); 20];
            alert
        };
        Notification::new((0..count).map(alert).collect())
    }

    #[test]
    fn a_document_has_everything_if_that_fits() {
        let one: Value = serde_json::from_str(&document(&notification(1, 300))).unwrap();
        assert_eq!((one["count"].as_u64(), one["alerts"].as_array().unwrap().len()), (Some(1), 1));
        assert_eq!(one["alerts"][0]["reason"].as_str().unwrap().chars().count(), 300);
        assert_eq!(one["alerts"][0]["also_affected"].as_array().unwrap().len(), 20);
    }

    #[test]
    fn a_large_document_has_fewer_alerts_and_counts_all_of_them() {
        for (count, length) in [(400, 30), (400, 30_000), (2000, 30), (3, 30_000)] {
            let text = document(&notification(count, length));
            assert!(text.len() <= MAX_BYTES, "{count} {length}: {}", text.len());
            let document: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(document["count"], count);
            assert!(!document["alerts"].as_array().unwrap().is_empty());
        }
    }
}
