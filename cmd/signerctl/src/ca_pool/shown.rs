//! A pool as people read it. Keys are never shown.

use signer_core::{CaCertificate, CertificateAuthority, LONGEST_LEAF, Phase};

use super::{
    outlook::{Outlook, Remark},
    table::{fields, table},
    timeline,
    times::{lifetime, minute, minute_from_now},
};
use crate::terminal::{Look, Tone};

/// How a pool stands, what comes, what is to do, and each CA in full.
pub(super) fn shown(place: &str, outlook: &Outlook<'_>, look: Look) -> String {
    let pool = outlook.pool;
    let generation = match pool.generation() {
        0 => String::new(),
        generation => format!(", generation {generation}"),
    };
    let head = format!(
        "{place}: {}, {}{generation}",
        counted(pool.authorities().count(), "CA"),
        counted(pool.roots().len(), "trust anchor")
    );
    let mut text = format!("{}\n\n", look.paint(Tone::Heading, head));
    text += &format!("  {}\n", remark(&outlook.state(), look));
    text.extend(outlook.to_do().iter().map(|to_do| format!("  To do: {}\n", remark(to_do, look))));
    text.push('\n');
    text += &overview(outlook, look);
    text += &format!("\n{}", timeline::draw(outlook, look));
    text += &schedule(outlook, look);
    for (index, authority) in pool.authorities().enumerate() {
        text +=
            &format!("\n{}\n{}", look.paint(Tone::Heading, outlook.name(index)), fields(&details(authority)));
    }
    text
}

/// What comes, each with its time.
pub(super) fn schedule(outlook: &Outlook<'_>, look: Look) -> String {
    let events = outlook.events();
    if events.is_empty() {
        return String::new();
    }
    let rows: Vec<[(String, String); 2]> = events
        .into_iter()
        .map(|event| [plain(minute_from_now(event.at, outlook.now)), plain(event.text)])
        .collect();
    format!("\n{}\n{}", look.paint(Tone::Heading, "What happens when"), table(&rows))
}

fn overview(outlook: &Outlook<'_>, look: Look) -> String {
    let head = ["CA", "PHASE", "SIGNS", "CERTIFICATES", "CAN GO", "EXPIRES"];
    let mut rows = vec![head.map(|text| (text.to_owned(), look.paint(Tone::Faint, text)))];
    rows.extend((0..outlook.tenures.len()).map(|index| row(outlook, index, look)));
    table(&rows)
}

fn row(outlook: &Outlook<'_>, index: usize, look: Look) -> [(String, String); 6] {
    let tenure = outlook.tenures[index];
    let id = match outlook.pool.authority(index).id() {
        "" => "(none)",
        id => id,
    };
    let (word, tone) = phase(outlook, index);
    let longest = match tenure.longest_leaf {
        Some(longest) => format!("{} at most", lifetime(longest)),
        None => format!("unknown ({})", lifetime(LONGEST_LEAF)),
    };
    [
        plain(id.to_owned()),
        (word.to_owned(), look.paint(tone, word)),
        plain(signs(outlook, index)),
        plain(longest),
        plain(outlook.can_go(index)),
        plain(minute_from_now(tenure.not_after, outlook.now)),
    ]
}

fn phase(outlook: &Outlook<'_>, index: usize) -> (&'static str, Tone) {
    match outlook.phases[index] {
        Phase::Trusted(_) => ("trusted", Tone::Coming),
        Phase::Active => ("active", Tone::Good),
        Phase::Retiring(_) => ("retiring", Tone::Ending),
        Phase::Gone if outlook.tenures[index].not_after < outlook.now => ("expired", Tone::Bad),
        Phase::Gone => ("gone", Tone::Faint),
    }
}

fn signs(outlook: &Outlook<'_>, index: usize) -> String {
    match (outlook.phases[index], outlook.superseded_at(index)) {
        (Phase::Trusted(None), _) => "no".to_owned(),
        (Phase::Trusted(Some(from)), _) => format!("from {}", minute(from)),
        (_, Some(until)) => format!("until {}", minute(until)),
        (Phase::Active, None) => "yes".to_owned(),
        (Phase::Retiring(_) | Phase::Gone, None) => "no".to_owned(),
    }
}

fn details(authority: &CertificateAuthority) -> Vec<(&'static str, String)> {
    let (issuer, root) = (authority.issuer(), authority.root());
    let valid = format!("{} to {}", minute(authority.not_before()), minute(authority.not_after()));
    let key = ("Key", authority.key().key_type().to_string());
    if authority.intermediates().is_empty() {
        let mut details = vec![("Root", issuer.subject()), key, ("Valid", valid)];
        details.extend(identity(issuer));
        return details;
    }
    let mut details = vec![("Issuer", issuer.subject()), key];
    details.extend(identity(issuer));
    for above in &authority.intermediates()[1..] {
        details.push(("under", above.subject()));
        details.extend(identity(above));
    }
    details.push(("Root", root.subject()));
    details.extend(identity(root));
    details.push(("Valid", valid));
    details
}

/// What its certificates let those below them be. Whether that is enough for a signer, `signer-manager check-config` and the manager itself say.
pub(super) fn limits(authority: &CertificateAuthority) -> String {
    let limits = authority.path().filter_map(|certificate| {
        let constraints = certificate.constraints()?;
        Some(("Limits", format!("{constraints} ({})", certificate.subject())))
    });
    fields(&limits.collect::<Vec<_>>())
}

/// Its fingerprint, and what it lets the certificates below it be.
fn identity(certificate: &CaCertificate) -> Vec<(&'static str, String)> {
    let limits = certificate.constraints().map(|constraints| ("Limits", constraints));
    [("SHA-256", certificate.fingerprint())].into_iter().chain(limits).collect()
}

fn remark((tone, text): &Remark, look: Look) -> String {
    look.paint(*tone, text)
}

fn plain(text: String) -> (String, String) {
    (text.clone(), text)
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
