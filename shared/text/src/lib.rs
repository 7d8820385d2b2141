//! Texts that people and other programs wrote, and what there is to say about them.
//!
//! [`json`] reads strictly and keeps every place; [`fields`] opens the objects in it; [`diagnostic`] is the one form of a
//! message that points into a text, and of the refusal that collects them; [`words`] quotes input and guesses what was
//! meant; [`clipped`] shows excerpts of texts whose lines may be megabytes long.
//!
//! It knows nothing of policies, organizations or SES, and it does not render: whoever shows a message attaches the text
//! to it and chooses a handler of [`miette`].
//!
//! ```
//! use text::diagnostic::{Problems, Subject};
//! use text::fields::{Object, FieldPlace};
//!
//! const SETTINGS: Subject = Subject { code: None, noun: "the settings", again: "write them again" };
//!
//! let source = r#"{"name": "mail", "port": "25"}"#;
//! let value = text::json::parse(source, 8)?;
//! let mut problems = Problems::of(SETTINGS);
//! let settings = Object::of(&mut problems, &value, FieldPlace::Top);
//! let port = settings.and_then(|settings| settings.number(&mut problems, "port"));
//! assert_eq!(port, None);
//!
//! let refusal = problems.into_refusal().ok_or("a text in place of a number was noted")?;
//! assert_eq!(refusal.to_string(), "`port` is a string, not a finite number");
//! assert_eq!(refusal.problems()[0].span.line_column(source).to_string(), "1:26");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod clipped;
pub mod diagnostic;
pub mod fields;
pub mod json;
pub mod span;
pub mod words;
