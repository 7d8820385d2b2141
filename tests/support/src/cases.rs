//! The files of a folder of cases, and the run over all of them.
//!
//! Nothing in a folder is passed over: a file that is no input and belongs to none stops the test.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use miette::NamedSource;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::render;

/// After so many failures the rest is not looked at: these show what is wrong, and under mutation
/// most of the time would go into more.
const MOST_FAILURES: usize = 20;

/// The text of one file.
#[derive(Debug, Clone)]
pub struct Input {
    path: PathBuf,
    /// What stands in the file.
    pub text: String,
}

/// The inputs of a folder below `tests/cases`, by name: the files with one of `endings` (all that
/// follows the first dot of a file's name).
///
/// Beside an input may stand files of its name with an ending of `beside`; an entry of `beside`
/// may also be the whole name of something that is no input.
///
/// # Panics
/// If there is no input, two have one name, one cannot be read, or something else is there.
#[must_use]
pub fn inputs(folder: &str, endings: &[&str], beside: &[&str]) -> Vec<(String, Input)> {
    let folder = root().join(folder);
    let listed = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let files: BTreeSet<String> =
        listed.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let (mut names, mut inputs, mut others) = (BTreeSet::new(), Vec::new(), Vec::new());
    for file in files {
        let (name, ending) = file.split_once('.').unwrap_or((&file, ""));
        if endings.contains(&ending) {
            assert!(names.insert(name.to_owned()), "two inputs of {folder:?} are named `{name}`");
            inputs.push((name.to_owned(), Input::read(&folder.join(&file))));
        } else {
            others.push(file);
        }
    }
    for file in others {
        let (name, ending) = file.split_once('.').unwrap_or((&file, ""));
        // What a failed run leaves.
        let ending = ending.strip_suffix(".new").unwrap_or(ending);
        let belongs = names.contains(name) && beside.contains(&ending);
        assert!(belongs || beside.contains(&&*file), "what is `{file}` in {folder:?} for?");
    }
    assert!(!inputs.is_empty(), "there are no cases in {folder:?}");
    inputs
}

/// One file below `tests/cases`.
///
/// # Panics
/// If it cannot be read.
#[must_use]
pub fn input(path: &str) -> Input {
    Input::read(&root().join(path))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases")
}

impl Input {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path);
        let text = text.unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
        Self { path: path.to_owned(), text }
    }

    /// The name of the file, `misspelt-key.toml` say.
    #[must_use]
    pub fn file(&self) -> String {
        self.path.file_name().unwrap().to_string_lossy().into_owned()
    }

    /// What the JSON of the file holds.
    ///
    /// # Panics
    /// If it holds something else, with the place. The types of cases refuse unknown fields.
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{}: {e}", self.file()))
    }

    /// The file of the same name with another ending.
    ///
    /// # Panics
    /// If it cannot be read.
    #[must_use]
    pub fn beside(&self, ending: &str) -> Self {
        Self::read(&self.path.with_file_name(format!("{}.{ending}", self.name())))
    }

    /// A report about the file's text, without blanks at the ends of lines.
    #[must_use]
    pub fn report(&self, report: impl Into<miette::Report>) -> String {
        let source = NamedSource::new(self.file(), self.text.clone());
        render::trimmed(&render::report(report, source))
    }

    /// Compares with the `.snap` file beside the input.
    ///
    /// # Panics
    /// If that holds something else, or is not there; `outcome` is then left beside it.
    pub fn compare(&self, outcome: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(self.path.parent().unwrap());
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(self.name(), outcome));
    }

    fn name(&self) -> String {
        let file = self.file();
        file.split_once('.').map_or(file.clone(), |(name, _)| name.to_owned())
    }
}

/// A file with several cases, and what it is about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group<C> {
    name: String,
    source: String,
    because: String,
    cases: Vec<C>,
}

/// The cases in the JSON files of a folder below `tests/cases`, each with its file and its name.
///
/// # Panics
/// As [`inputs`] does, and if a file does not say what it is about, or holds no cases.
#[must_use]
pub fn groups<C: DeserializeOwned>(folder: &str) -> Vec<(String, C)> {
    let mut all = Vec::new();
    for (_, input) in inputs(folder, &["json"], &[]) {
        let (group, raw): (Group<C>, Group<Value>) = (input.json(), input.json());
        let heads = [&group.name, &group.source, &group.because];
        assert!(heads.iter().all(|head| !head.is_empty()), "{} has an empty head", input.file());
        assert!(!group.cases.is_empty(), "{} has no cases", input.file());
        for (index, (case, raw)) in group.cases.into_iter().zip(raw.cases).enumerate() {
            let name = raw["name"].as_str().or(raw["because"].as_str()).unwrap_or(&group.name);
            all.push((format!("{}, case {index} ({name})", input.file()), case));
        }
    }
    all
}

/// Checks one case after the other.
///
/// # Panics
/// At the end, with name and message of each case whose `check` panicked; if there are fewer than
/// `least` cases, as a guard of the collection itself.
pub fn run<C>(
    least: usize,
    cases: impl IntoIterator<Item = (impl Display, C)>,
    mut check: impl FnMut(C),
) {
    let (mut count, mut failures) = (0, Vec::new());
    for (name, case) in cases {
        count += 1;
        if let Err(why) = catch_unwind(AssertUnwindSafe(|| check(case))) {
            let text = why.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| why.downcast_ref::<&str>().copied());
            failures.push(format!("{name}: {}", text.unwrap_or("it stopped")));
        }
        if failures.len() >= MOST_FAILURES {
            break;
        }
    }
    assert!(failures.is_empty(), "{} of {count} fail:\n{}", failures.len(), failures.join("\n"));
    assert!(count >= least, "only {count} cases where {least} are wanted");
}
