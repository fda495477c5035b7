//! A real Alertmanager: what it makes of each step of an alert.

use checkup_core::{AlertStep, IntoNotifier, Notification, Notifier, NotifyErrorKind};
use checkup_notify::Alertmanager;
use serde_json::Value;

use crate::{samples, variable};

/// Sends with the name of the test as a label, so that tests do not see each other's alerts.
async fn send(test: &str, notification: &Notification) -> Result<(), checkup_core::NotifyError> {
    let settings = Alertmanager::new(variable("CHECKUP_ALERTMANAGER")).label("test", test);
    settings.into_notifier().unwrap().notify(notification).await
}

/// The alerts with this label that are active.
async fn active(test: &str) -> Vec<Value> {
    let url = format!("{}/api/v2/alerts?active=true&filter=test%3D%22{test}%22", variable("CHECKUP_ALERTMANAGER"));
    let answer = reqwest::get(url).await.unwrap().bytes().await.unwrap();
    serde_json::from_slice(&answer).unwrap()
}

#[tokio::test]
async fn an_alert_is_opened_kept_open_and_closed() {
    let test = "lifecycle";
    send(test, &samples::down()).await.unwrap();
    let [first] = active(test).await.try_into().unwrap();
    assert_eq!(first["labels"]["check"], "database_1");
    assert_eq!(first["annotations"]["summary"], "database_1 (shop) is down");
    assert_eq!(first["startsAt"], "2026-11-25T13:03:20.000Z");

    let mut again = samples::down().alerts.remove(0);
    again.step = AlertStep::Again;
    send(test, &samples::alone(again)).await.unwrap();
    let [second] = active(test).await.try_into().unwrap();
    assert_eq!(first["fingerprint"], second["fingerprint"], "the same alert");

    send(test, &samples::up()).await.unwrap();
    assert_eq!(active(test).await, [] as [Value; 0]);
}

#[tokio::test]
async fn hostile_alerts_are_all_accepted_as_they_are() {
    for (number, notification) in samples::all_hostile().iter().enumerate() {
        let test = format!("hostile{number}");
        send(&test, notification).await.unwrap();
        let open = notification.alerts.iter().filter(|alert| !alert.step.is_over()).count();
        assert_eq!(active(&test).await.len(), open);
    }
}

#[tokio::test]
async fn an_alert_that_ends_before_it_begins_is_refused_in_words() {
    let mut alert = samples::up().alerts.remove(0);
    alert.ended = Some("2026-11-25T12:00:00Z".parse().unwrap());
    let error = send("refused", &samples::alone(alert)).await.unwrap_err();
    assert_eq!(error.kind(), NotifyErrorKind::Permanent);
    assert!(error.to_string().contains("start time must be before end time"), "{error}");
}
