//! Settings from environment variables, with errors that say what is expected.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Why the settings are unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// A variable that is needed is not there, or empty.
    #[error("the environment variable `{variable}` is not set; it takes {expected}")]
    Missing {
        /// The variable.
        variable: &'static str,
        /// What it takes.
        expected: String,
    },
    /// A variable has a value that it cannot have.
    #[error("the environment variable `{variable}` is `{found}`; it takes {expected}")]
    Unusable {
        /// The variable.
        variable: &'static str,
        /// What it takes.
        expected: String,
        /// What it has.
        found: String,
    },
}

/// Where variables are looked up.
pub struct Environment<'e>(&'e dyn Fn(&str) -> Option<String>);

impl<'e> Environment<'e> {
    /// Variables as this function finds them.
    #[must_use]
    pub const fn new(lookup: &'e dyn Fn(&str) -> Option<String>) -> Self {
        Self(lookup)
    }

    /// The value of a variable; an empty one counts as not set, as templates write it.
    #[must_use]
    pub fn text(&self, variable: &str) -> Option<String> {
        (self.0)(variable).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// The value of a variable that must be there.
    ///
    /// # Errors
    /// It is not.
    pub fn required(&self, variable: &'static str, expected: &str) -> Result<String, SettingError> {
        self.text(variable)
            .ok_or_else(|| SettingError::Missing { variable, expected: expected.to_owned() })
    }

    /// A number in a range, or the default.
    ///
    /// # Errors
    /// It is no number, or out of range.
    pub fn number<T>(
        &self,
        variable: &'static str,
        range: &RangeInclusive<T>,
        default: T,
    ) -> Result<T, SettingError>
    where
        T: FromStr + PartialOrd + Display,
    {
        let Some(found) = self.text(variable) else { return Ok(default) };
        match found.parse().ok().filter(|number| range.contains(number)) {
            Some(number) => Ok(number),
            None => Err(SettingError::Unusable {
                variable,
                expected: format!(
                    "a number from {} to {} (default {default})",
                    range.start(),
                    range.end()
                ),
                found,
            }),
        }
    }

    /// One of several words, or the default, which is the first.
    ///
    /// # Errors
    /// It is none of them.
    pub fn choice<T: Copy>(
        &self,
        variable: &'static str,
        choices: &[(&str, T)],
        default: T,
    ) -> Result<T, SettingError> {
        let Some(found) = self.text(variable) else { return Ok(default) };
        match choices.iter().find(|(word, _)| *word == found) {
            Some((_, choice)) => Ok(*choice),
            None => {
                let words: Vec<String> =
                    choices.iter().map(|(word, _)| format!("`{word}`")).collect();
                Err(SettingError::Unusable { variable, expected: words.join(" or "), found })
            }
        }
    }

    /// `true` or `false`, or the default.
    ///
    /// # Errors
    /// It is neither.
    pub fn flag(&self, variable: &'static str, default: bool) -> Result<bool, SettingError> {
        self.choice(variable, &[("true", true), ("false", false)], default)
    }

    /// Values between commas; none where the variable is not set.
    #[must_use]
    pub fn list(&self, variable: &str) -> Vec<String> {
        let text = self.text(variable).unwrap_or_default();
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    }
}

/// The variables of this process.
#[must_use]
pub fn process(variable: &str) -> Option<String> {
    std::env::var(variable).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: Option<&str>, then: impl FnOnce(&Environment<'_>)) {
        let lookup = |asked: &str| value.filter(|_| asked == name).map(str::to_owned);
        then(&Environment::new(&lookup));
    }

    #[test]
    fn a_missing_variable_is_named_with_what_it_takes() {
        with("BUCKET", None, |environment| {
            let error = environment.required("BUCKET", "the name of the bucket").unwrap_err();
            assert_eq!(
                error.to_string(),
                "the environment variable `BUCKET` is not set; it takes the name of the bucket"
            );
        });
    }

    #[test]
    fn an_empty_variable_counts_as_missing() {
        with("BUCKET", Some(" "), |environment| {
            assert!(environment.required("BUCKET", "the name of the bucket").is_err());
        });
    }

    #[test]
    fn a_number_out_of_range_is_refused_with_the_range() {
        for found in ["0", "1001", "many", "-1", "1.5"] {
            with("SHARDS", Some(found), |environment| {
                let error = environment.number("SHARDS", &(1..=1000_u32), 16).unwrap_err();
                assert_eq!(
                    error.to_string(),
                    format!(
                        "the environment variable `SHARDS` is `{found}`; \
                         it takes a number from 1 to 1000 (default 16)"
                    )
                );
            });
        }
        with("SHARDS", Some("1000"), |environment| {
            assert_eq!(environment.number("SHARDS", &(1..=1000_u32), 16), Ok(1000));
        });
        with("SHARDS", None, |environment| {
            assert_eq!(environment.number("SHARDS", &(1..=1000_u32), 16), Ok(16));
        });
    }

    #[test]
    fn a_share_that_is_no_number_is_refused() {
        with("ORGANIZATIONS_SHARE", Some("NaN"), |environment| {
            assert!(environment.number("ORGANIZATIONS_SHARE", &(0.01..=1.0), 0.5).is_err());
        });
    }

    #[test]
    fn a_word_that_is_no_choice_is_refused_with_the_choices() {
        with("MODE", Some("Central"), |environment| {
            let choices = [("central", 1), ("member", 2)];
            let error = environment.choice("MODE", &choices, 1).unwrap_err();
            assert_eq!(
                error.to_string(),
                "the environment variable `MODE` is `Central`; it takes `central` or `member`"
            );
        });
    }

    #[test]
    fn a_list_drops_blanks_around_and_empty_parts() {
        with("DIGEST_TO", Some("a@example.com, b@example.com,,"), |environment| {
            assert_eq!(environment.list("DIGEST_TO"), ["a@example.com", "b@example.com"]);
        });
    }
}
