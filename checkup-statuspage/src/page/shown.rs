//! What the HTML of a served page says, for visitors without JavaScript and until the script has loaded its data.

use std::collections::BTreeMap;

use checkup_core::Timestamp;
use checkup_core::summary::Summary;

use crate::config::StatusPage;
use crate::config::texts::{Words, say};
use crate::view::overview::{CheckOverview, Overall, Overview};

/// How many checks are listed: a list of thousands would be the larger part of the page.
const MAX_CHECKS: usize = 300;

/// The state of the checks as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The state as the page's style names it.
    pub(crate) state: &'static str,
    pub(crate) headline: String,
    pub(crate) subline: String,
    /// A line for each check that is not healthy, with the latest message about it.
    pub(crate) problems: Vec<String>,
    /// A line for each window of maintenance that runs.
    pub(crate) maintenance: Vec<String>,
    /// A line for each check.
    pub(crate) checks: Vec<String>,
}

impl Shown {
    /// What is true at this time. It has no time of its own, so that it is the same until something changes.
    pub(crate) fn new(
        settings: &StatusPage,
        words: &Words,
        summary: &Summary,
        overview: &Overview,
        now: Timestamp,
    ) -> Self {
        let checks: Vec<_> = overview.checks.iter().filter(|check| !check.is_gone).collect();
        let state = |check: &CheckOverview| word(words, check.state().as_str());
        let line = |check: &CheckOverview| format!("{}: {}", check.verdict.name, state(check));
        let overall = overview.overall.as_str();
        let is_bad = |check: &&&CheckOverview| matches!(check.state().as_str(), "down" | "degraded");
        let problems = checks.iter().filter(is_bad).map(|check| {
            let of_check = summary.series.iter().filter(|series| series.name == check.verdict.name);
            let message =
                summary.messages(of_check).into_iter().rfind(|message| Some(message.at) >= check.verdict.since());
            match message {
                Some(message) => format!("{} – {}", line(check), message.text),
                None => line(check),
            }
        });
        let running = summary.windows.iter().filter(|window| window.from <= now && now < window.to);
        let maintenance = running.map(|window| {
            let name = window.name.clone().unwrap_or_else(|| say(words, "all_checks", &[]));
            if window.text.is_empty() { name } else { format!("{name}: {}", window.text) }
        });
        Self {
            state: match overview.overall {
                Overall::Empty => "stale",
                other => other.as_str(),
            },
            headline: settings.status_text.of(overall).map_or_else(|| headline(words, overall, &checks), str::to_owned),
            subline: counts(words, &checks),
            problems: problems.take(MAX_CHECKS).collect(),
            maintenance: maintenance.take(MAX_CHECKS).collect(),
            checks: checks.iter().take(MAX_CHECKS).map(|check| line(check)).collect(),
        }
    }
}

/// The word for a state.
fn word(words: &Words, state: &str) -> String {
    say(words, if state == "empty" { "unknown" } else { state }, &[])
}

/// The overall state in words, with numbers, like the script's.
fn headline(words: &Words, overall: &str, checks: &[&CheckOverview]) -> String {
    let count = checks.iter().filter(|check| check.state().as_str() == overall).count();
    let (n, total) = (count.to_string(), checks.len().to_string());
    let key = match (overall, checks.len()) {
        ("healthy", _) => "all_healthy",
        ("down", 1) => "only_down",
        ("down", all) if all == count => "all_down",
        ("down", _) => "some_down",
        ("degraded", 1) => "only_degraded",
        ("degraded", _) => "some_degraded",
        ("maintenance", _) => "under_maintenance",
        ("stale", _) => "all_stale",
        _ => "none_yet",
    };
    say(words, key, &[("n", &n), ("total", &total)])
}

/// "1 down, 11 healthy": how many checks are in each state.
fn counts(words: &Words, checks: &[&CheckOverview]) -> String {
    let mut counts = BTreeMap::new();
    for check in checks {
        *counts.entry(check.state().as_str()).or_insert(0_usize) += 1;
    }
    let part = |state: &str| {
        let n = counts.get(state)?.to_string();
        let word = match state {
            "stale" => say(words, "without_fresh", &[]),
            "maintenance" => say(words, "in_maintenance", &[]),
            _ => word(words, state),
        };
        Some(say(words, "number_state", &[("n", &n), ("state", &word)]))
    };
    let parts: Vec<_> = ["down", "degraded", "stale", "maintenance", "healthy"].into_iter().filter_map(part).collect();
    if parts.is_empty() { say(words, "first_soon", &[]) } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use checkup_core::history::Rules;
    use checkup_core::{CheckResult, MaintenanceWindow, Status};

    use super::*;
    use crate::config::texts;

    fn shown(results: &[CheckResult], settings: &StatusPage, language: &str) -> Shown {
        let mut summary = Summary::new();
        summary.add(results);
        let now = Timestamp::now();
        let overview = Overview::new(&summary, None, &Rules::default(), now);
        Shown::new(settings, &texts::of(language, &BTreeMap::new()), &summary, &overview, now)
    }

    fn result(name: &str, status: Status) -> CheckResult {
        let mut result = CheckResult::new(name, "x");
        (result.timestamp, result.status) = (Timestamp::now().saturating_sub(Duration::from_secs(5)), status);
        result
    }

    #[test]
    fn an_outage_is_said_with_numbers_and_the_latest_message() {
        let mut down = result("Shop", Status::Down);
        down.message = Some("We are on it.".into());
        let mut planned = result("Mail", Status::Healthy);
        let now = Timestamp::now();
        planned.maintenance = Some(
            MaintenanceWindow::new(
                now.saturating_sub(Duration::from_secs(60)),
                now.saturating_add(Duration::from_secs(600)),
            )
            .into(),
        );
        let results = [down, result("API", Status::Healthy), planned];
        let page = shown(&results, &StatusPage::new(), "en");
        assert_eq!((page.state, page.headline.as_str()), ("down", "Partial outage: 1 of 3 down"));
        assert_eq!(page.subline, "1 down, 1 in maintenance, 1 healthy");
        assert_eq!(page.problems, ["Shop: down – We are on it."]);
        assert_eq!(page.maintenance, ["Mail"]);
        assert_eq!(page.checks.len(), 3);
        assert_eq!(shown(&results, &StatusPage::new(), "de").headline, "Teilausfall: 1 von 3 ausgefallen");
    }

    #[test]
    fn texts_of_the_settings_come_first_and_without_results_nothing_is_claimed() {
        let mut settings = StatusPage::new();
        settings.status_text.healthy = Some("Situation normal".to_owned());
        assert_eq!(shown(&[result("API", Status::Healthy)], &settings, "en").headline, "Situation normal");
        let empty = shown(&[], &settings, "en");
        assert_eq!((empty.state, empty.headline.as_str()), ("stale", "No results yet"));
        assert_eq!(shown(&[result("API", Status::Down)], &settings, "en").headline, "Outage");
    }
}
