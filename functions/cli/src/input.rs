//! Reading files, and saying what is wrong with them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use exposure::Exposure;
use miette::{IntoDiagnostic, Report, WrapErr, miette};
use organization::{AccountIdx, Organization};
use policy::parse::Limits;
use ses_perimeter::check::Now;
use ses_perimeter::control::ControlId;
use ses_perimeter::perimeter::{self, Perimeter};
use text::clipped::Clipped;
use text::span::Span;

use crate::args::InputArgs;

/// Where a perimeter is looked for by default.
const PERIMETER_FILE: &str = "perimeter.toml";
/// What messages call the organization where there is no file.
const LIVE: &str = "the live organization";

/// Everything that a check needs.
pub struct CheckInput {
    /// The organization.
    pub organization: Organization,
    /// What is set up in the accounts, where the snapshot says so.
    pub exposure: Option<Exposure>,
    /// The perimeter.
    pub perimeter: Perimeter,
    /// The moment of the evaluation.
    pub now: Now,
    /// The same as text.
    pub evaluated_at: String,
    /// What is suspicious about the input.
    pub warnings: Vec<Report>,
}

/// Reads the snapshot, or the live organization, and the perimeter.
///
/// # Errors
/// What is wrong with either, with its place; what keeps AWS from answering.
pub fn read(args: &InputArgs, quiet: bool) -> miette::Result<CheckInput> {
    let limits = Limits { quota_characters: args.quota_characters, ..Limits::default() };
    let path = || perimeter_path(args.perimeter.as_deref(), args.snapshot.as_deref());
    let ((organization, text), name, path, (perimeter, mut warnings)) = match &args.snapshot {
        Some(snapshot) => {
            let organization = read_snapshot(snapshot, &limits)?;
            let path = path()?;
            let perimeter = read_perimeter(&path)?;
            (organization, snapshot.display().to_string(), path, perimeter)
        }
        None => {
            // What is wrong with the perimeter is said before minutes are spent on reading.
            let path = path()?;
            let perimeter = read_perimeter(&path)?;
            (read_live(&limits, quiet)?, LIVE.to_owned(), path, perimeter)
        }
    };
    warnings.extend(
        organization
            .warnings
            .iter()
            .map(|warning| miette!(severity = miette::Severity::Warning, "{name}: {warning}")),
    );
    // Most snapshots have none, and a large one is not parsed a second time for nothing.
    let exposure = if organization.has_exposure {
        exposure::read_in_snapshot(&text).map_err(|error| {
            Report::new(error).with_source_code(Clipped::new(name.clone(), text.clone()))
        })?
    } else {
        None
    };
    let now = args.now.unwrap_or_else(jiff::Timestamp::now);
    let moment = Now::from_epoch_seconds(now.as_second())
        .ok_or_else(|| miette!("the moment {now} is out of range"))?;
    warnings.extend(unused_targets(&organization, &perimeter, &path));
    Ok(CheckInput {
        organization,
        exposure,
        perimeter,
        now: moment,
        evaluated_at: now.round(jiff::Unit::Second).unwrap_or(now).to_string(),
        warnings,
    })
}

/// Reads a snapshot; also its text.
///
/// # Errors
/// What is wrong with it, with its place.
pub fn read_snapshot(snapshot: &Path, limits: &Limits) -> miette::Result<(Organization, String)> {
    let text = text_of(snapshot, "snapshot")?;
    let organization = parse_snapshot(&text, &snapshot.display().to_string(), limits)?;
    Ok((organization, text))
}

/// The text of a file; `what` it holds is in the message.
///
/// # Errors
/// It cannot be read, or is not UTF-8.
pub fn text_of(path: &Path, what: &str) -> miette::Result<String> {
    let bytes = std::fs::read(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("the {what} {} cannot be read", path.display()))?;
    String::from_utf8(bytes).map_err(|error| {
        let wide = error.as_bytes().starts_with(&[0xff, 0xfe])
            || error.as_bytes().starts_with(&[0xfe, 0xff]);
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let good = String::from_utf8_lossy(good);
        let place = Span::new(good.len(), good.len()).line_column(&good);
        let help = if wide {
            "it is UTF-16, which `>` of Windows PowerShell writes; save it as UTF-8, for instance \
             with `| Out-File -Encoding utf8 FILE`"
        } else {
            "save it as UTF-8"
        };
        miette!(help = help, "the {what} {}:{place} is not UTF-8", path.display())
    })
}

fn parse_snapshot(text: &str, name: &str, limits: &Limits) -> miette::Result<Organization> {
    organization::read(text, limits).map_err(|error| {
        let source = Clipped::new(name.to_owned(), text.to_owned());
        Report::new(error).with_source_code(source)
    })
}

#[cfg(feature = "live")]
fn read_live(limits: &Limits, quiet: bool) -> miette::Result<(Organization, String)> {
    let text = crate::live::snapshot(&crate::args::ReadingArgs::default(), None, quiet)?;
    Ok((parse_snapshot(&text, LIVE, limits)?, text))
}

#[cfg(not(feature = "live"))]
fn read_live(_: &Limits, _: bool) -> miette::Result<(Organization, String)> {
    Err(no_live_access())
}

/// What commands say that need AWS, where the program was built without it.
#[cfg(not(feature = "live"))]
pub fn no_live_access() -> Report {
    miette!(
        help = "give a saved organization with --snapshot FILE, or build the program without \
                --no-default-features",
        "this program was built without live access to AWS"
    )
}

/// Where the perimeter is: as given, beside the snapshot, or in the working directory.
///
/// # Errors
/// It is nowhere.
pub fn perimeter_path(given: Option<&Path>, snapshot: Option<&Path>) -> miette::Result<PathBuf> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let here = PathBuf::from(PERIMETER_FILE);
    let beside = snapshot.map(|snapshot| snapshot.with_file_name(PERIMETER_FILE));
    if let Some(found) = beside.iter().chain([&here]).find(|path| path.is_file()) {
        return Ok(found.clone());
    }
    let looked = beside.map_or_else(
        || format!("./{PERIMETER_FILE} does not exist"),
        |beside| {
            format!(
                "neither {} beside the snapshot nor ./{PERIMETER_FILE} exists",
                beside.display()
            )
        },
    );
    Err(miette!(
        help = "give one with --perimeter FILE; its [trusted] recipients say whom mail may reach",
        "there is no perimeter file: {looked}"
    ))
}

/// Reads a perimeter file and its warnings.
///
/// # Errors
/// What is wrong with it, with its place.
pub fn read_perimeter(path: &Path) -> miette::Result<(Perimeter, Vec<Report>)> {
    let text = text_of(path, "perimeter")?;
    let source = || Clipped::new(path.display().to_string(), text.clone());
    let mut perimeter =
        perimeter::parse(&text).map_err(|error| Report::new(error).with_source_code(source()))?;
    let warnings = std::mem::take(&mut perimeter.warnings)
        .into_iter()
        .map(|warning| Report::new(warning).with_source_code(source()))
        .collect();
    Ok((perimeter, warnings))
}

/// Allowed targets that the organization does not have.
fn unused_targets(organization: &Organization, perimeter: &Perimeter, path: &Path) -> Vec<Report> {
    perimeter
        .allowed_targets
        .iter()
        .filter(|allowed| organization.target(&allowed.id).is_none())
        .map(|allowed| {
            let nearest = organization.suggest(&allowed.id);
            miette!(
                severity = miette::Severity::Warning,
                help = nearest.map_or_else(
                    || "remove it, or check the id".to_owned(),
                    |nearest| format!("did you mean {nearest}?")
                ),
                "{}: the allowed target `{}` is not in the organization",
                path.display(),
                allowed.id
            )
        })
        .collect()
}

/// The account that `text` names by id or by name.
///
/// # Errors
/// When none or several are so named.
pub fn account(organization: &Organization, text: &str) -> miette::Result<AccountIdx> {
    let by_id =
        text.parse().ok().and_then(|id: organization::AccountId| organization.find_account(id));
    if let Some(found) = by_id {
        return Ok(found);
    }
    let named: Vec<AccountIdx> = organization
        .accounts()
        .filter(|(_, account)| &*account.name == text)
        .map(|(index, _)| index)
        .collect();
    match named.as_slice() {
        [only] => Ok(*only),
        [] => {
            let help = organization.suggest(text).map_or_else(
                || "give the twelve digits of an account in the snapshot".to_owned(),
                |nearest| format!("did you mean {nearest}?"),
            );
            Err(miette!(help = help, "the organization has no account `{text}`"))
        }
        several => Err(miette!(
            help = "give its twelve digits instead",
            "{} accounts are named `{text}`",
            several.len()
        )),
    }
}

/// The accounts that `texts` name; none for all.
///
/// # Errors
/// As for [`account`].
pub fn accounts(
    organization: &Organization,
    texts: &[String],
) -> miette::Result<BTreeSet<AccountIdx>> {
    texts.iter().map(|text| account(organization, text)).collect()
}

/// The accounts below the root, unit or account that `text` names by id or by name.
///
/// # Errors
/// When none or several are so named.
pub fn below(organization: &Organization, text: &str) -> miette::Result<Vec<AccountIdx>> {
    if let Some(target) = organization.target(text) {
        return Ok(organization.targets_under(target));
    }
    let mut units = organization
        .targets()
        .filter(|target| target.name == text && organization.account_at(target.index).is_none());
    match (units.next(), units.next()) {
        (Some(only), None) => Ok(organization.targets_under(only.index)),
        (Some(_), Some(_)) => {
            Err(miette!(help = "give its id", "several units are named `{text}`"))
        }
        (None, _) => account(organization, text).map(|account| vec![account]),
    }
}

/// Whether `control` can be decided from what was read.
///
/// # Errors
/// It is about what is set up in the accounts, and nobody looked.
pub fn decidable(input: &CheckInput, control: ControlId) -> miette::Result<()> {
    if control.is_about_exposure() && input.exposure.is_none() {
        return Err(miette!(
            help = "write a snapshot that has one with `ses-perimeter fetch --exposure --out FILE`",
            "{control} is decided by what is set up in the accounts, and there is no `exposure` \
             section"
        ));
    }
    Ok(())
}

/// The control that `text` names.
///
/// # Errors
/// When there is none.
pub fn control(text: &str) -> miette::Result<ControlId> {
    ControlId::parse(text).ok_or_else(|| {
        miette!(
            help = format!("the controls are {} to {}", ControlId::FIRST, ControlId::LAST),
            "there is no control `{text}`"
        )
    })
}
