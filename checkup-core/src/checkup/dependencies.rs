//! `depends_on`: which checks are down because another check is down.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{Check, CheckResult, ConfigError, ConfigProblems, Status};

/// How many names an error lists.
const LISTED: usize = 20;

/// The dependencies of every check, by position. There are no cycles.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dependencies {
    /// Empty if no check depends on another.
    of: Arc<[Vec<usize>]>,
}

impl Dependencies {
    /// Resolves the names of dependencies. A name that several checks share refers to all of them.
    ///
    /// # Errors
    ///
    /// If there is no check with a name (all such names are reported), or if there is a circular dependency.
    pub(crate) fn resolve(checks: &[Check]) -> Result<Self, ConfigError> {
        if checks.iter().all(|check| check.policy().depends_on.is_empty()) {
            return Ok(Self::default());
        }
        let mut places = HashMap::<_, Vec<usize>>::new();
        for (place, check) in checks.iter().enumerate() {
            places.entry(check.name()).or_default().push(place);
        }
        let mut problems = ConfigProblems::new();
        let mut of = vec![Vec::new(); checks.len()];
        for (place, check) in checks.iter().enumerate() {
            for (index, name) in check.policy().depends_on.iter().enumerate() {
                let Some(found) = places.get(name.as_str()) else {
                    let place = format!("checkers[{place}].depends_on[{index}]");
                    let names: Vec<_> = checks.iter().take(LISTED).map(|check| format!("`{}`", check.name())).collect();
                    let more = match checks.len().saturating_sub(LISTED) {
                        0 => String::new(),
                        more => format!(" and {more} more"),
                    };
                    let expected = format!("the name of a check ({}{more})", names.join(", "));
                    problems.push(ConfigError::expected(place, expected).found(format_args!("`{name}`")));
                    continue;
                };
                of[place].extend(found);
            }
        }
        problems.into_result()?;
        let dependencies = Self { of: of.into() };
        match dependencies.cycle() {
            None => Ok(dependencies),
            Some(cycle) => {
                let names: Vec<_> = cycle.iter().map(|place| format!("`{}`", checks[*place].name())).collect();
                let place = format!("checkers[{}].depends_on", cycle[0]);
                let message = format!("circular dependency: {}", names.join(" → "));
                Err(ConfigError::invalid(place, message))
            }
        }
    }

    /// The dependencies among the checks at `places`, for a checkup with only those checks.
    pub(crate) fn at(&self, places: &[usize]) -> Self {
        if self.of.is_empty() {
            return Self::default();
        }
        let new: HashMap<_, _> = places.iter().enumerate().map(|(new, old)| (*old, new)).collect();
        let keep = |old: &usize| new.get(old).copied();
        Self { of: places.iter().map(|place| self.of[*place].iter().filter_map(keep).collect()).collect() }
    }

    /// The result of the check that caused this one to be down, if this one depends on a check that is down too.
    ///
    /// `result` gives the latest result of the check at a position, if there is one.
    pub(crate) fn cause<'a>(
        &self,
        place: usize,
        result: &impl Fn(usize) -> Option<&'a CheckResult>,
    ) -> Option<&'a CheckResult> {
        let down = |place: usize| result(place).filter(|result| result.status == Status::Down);
        down(place)?;
        let (mut at, mut cause) = (place, None);
        // There are no cycles, so this loop ends at the root cause of a chain.
        while let Some((next, found)) =
            self.of.get(at)?.iter().find_map(|next| down(*next).map(|result| (*next, result)))
        {
            (at, cause) = (next, Some(found));
        }
        cause
    }

    /// Records the cause in each result that is down because of another check. The results are in the order of the checks.
    pub(crate) fn mark(&self, results: &mut [CheckResult]) {
        if self.of.is_empty() {
            return;
        }
        let causes: Vec<_> = (0..results.len())
            .map(|place| self.cause(place, &|place| results.get(place)).map(|cause| cause.name.as_str().into()))
            .collect();
        for (result, cause) in results.iter_mut().zip(causes) {
            result.because_of = cause;
        }
    }

    /// A cycle, which ends with its first check; `None` if there is no cycle.
    fn cycle(&self) -> Option<Vec<usize>> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            New,
            Open,
            Done,
        }
        let mut marks = vec![Mark::New; self.of.len()];
        for start in 0..self.of.len() {
            // The path, each check with the number of dependencies visited so far. An explicit stack avoids recursion at any depth.
            let mut path = vec![(start, 0)];
            while let Some((place, looked)) = path.last_mut() {
                let place = *place;
                if marks[place] == Mark::Done {
                    path.pop();
                    continue;
                }
                marks[place] = Mark::Open;
                let Some(next) = self.of[place].get(*looked).copied() else {
                    marks[place] = Mark::Done;
                    path.pop();
                    continue;
                };
                *looked += 1;
                match marks[next] {
                    Mark::New => path.push((next, 0)),
                    Mark::Done => {}
                    Mark::Open => {
                        let mut cycle: Vec<_> =
                            path.iter().map(|(place, _)| *place).skip_while(|place| *place != next).collect();
                        cycle.push(next);
                        return Some(cycle);
                    }
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check_fn;

    /// Checks by name, each with what it depends on.
    fn checks(edges: &[(&str, &[&str])]) -> Vec<Check> {
        let check = |(name, on): &(&str, &[&str])| {
            let check = check_fn(*name, || async { Ok::<_, String>(()) });
            on.iter().fold(check, |check, on| check.depends_on(*on))
        };
        edges.iter().map(check).collect()
    }

    fn marked(edges: &[(&str, &[&str])], down: &[&str]) -> Vec<Option<String>> {
        let mut results: Vec<_> = edges.iter().map(|(name, _)| CheckResult::new(*name, "")).collect();
        for result in &mut results {
            if down.contains(&result.name.as_str()) {
                result.status = Status::Down;
            }
        }
        Dependencies::resolve(&checks(edges)).unwrap().mark(&mut results);
        results.into_iter().map(|result| result.because_of.map(Into::into)).collect()
    }

    #[test]
    fn the_root_cause_of_a_chain_is_named() {
        let chain: &[(&str, &[&str])] = &[("page", &["api"]), ("api", &["cache", "db"]), ("cache", &[]), ("db", &[])];
        let because = |names: [Option<&str>; 4]| names.map(|name| name.map(str::to_owned)).to_vec();
        assert_eq!(marked(chain, &["page", "api", "db"]), because([Some("db"), Some("db"), None, None]));
        assert_eq!(
            marked(chain, &["page", "db"]),
            because([None, None, None, None]),
            "the api between them is healthy"
        );
        assert_eq!(marked(chain, &["db"]), because([None; 4]), "a healthy check is not down because of another");
    }

    #[test]
    fn cycles_are_refused_with_their_path() {
        let error = Dependencies::resolve(&checks(&[("x", &["a"]), ("a", &["b"]), ("b", &["c"]), ("c", &["a"])]));
        let text = error.unwrap_err().to_string();
        assert_eq!(text, "checkers[1].depends_on: circular dependency: `a` → `b` → `c` → `a`");
        assert!(Dependencies::resolve(&checks(&[("self", &["self"])])).is_err());
        let diamond: &[(&str, &[&str])] = &[("a", &["b", "c"]), ("b", &["d"]), ("c", &["d"]), ("d", &[])];
        assert!(Dependencies::resolve(&checks(diamond)).is_ok());
    }

    #[test]
    fn a_name_that_does_not_exist_is_refused_with_those_that_do() {
        let error = Dependencies::resolve(&checks(&[("a", &["b", "x"]), ("b", &[])])).unwrap_err();
        let text = error.to_string();
        assert_eq!(text, "checkers[0].depends_on[1]: expected the name of a check (`a`, `b`), found `x`");
    }

    #[test]
    fn a_subset_keeps_its_internal_dependencies() {
        let all = Dependencies::resolve(&checks(&[("a", &["b", "c"]), ("b", &[]), ("c", &[])])).unwrap();
        let part = all.at(&[0, 2]);
        assert_eq!(*part.of, [vec![1], vec![]]);
    }
}
