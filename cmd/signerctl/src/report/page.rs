//! A pool as people read it. Keys are never shown.

use ca_pool::{CaCertificate, CertificateAuthority};

use crate::terminal::{Look, Tone};
use crate::{
    report::ca_table::{lacks_longest, longest, overview},
    report::outlook::{Outlook, Remark},
    report::timeline,
    store::place::Label,
    text::table::fields,
    text::times::{minute, minute_from_now},
    text::wrap::{wrap, wrap_behind},
};

/// How a pool stands, what comes, what is to do, and each CA in full.
pub(crate) fn shown(label: &Label, caveat: Option<String>, outlook: &Outlook<'_>, look: Look) -> String {
    let pool = outlook.pool;
    let generation = match pool.generation() {
        0 => String::new(),
        generation => format!(", generation {generation}"),
    };
    let head = format!(
        "{}: {}, {}{generation}",
        label.pool,
        counted(pool.authorities().count(), "CA"),
        counted(pool.roots().len(), "trust anchor")
    );
    let mut text = format!("{}\n", label.headline(look, Tone::Heading, &head));
    text.extend(caveat.map(|caveat| remark("  To do: ", &(Tone::Bad, caveat), look)));
    text += &standing(outlook, look);
    text.push('\n');
    text += &overview(outlook, look);
    text += &format!("\n{}", timeline::draw(outlook, look));
    text += &schedule(outlook, look);
    let with_longest = lacks_longest(outlook, look);
    for (index, authority) in pool.authorities().enumerate() {
        let mut details = details(authority);
        if with_longest {
            details.push(("Leaves", longest(outlook, index)));
        }
        text += &format!("\n{}\n{}", look.paint(Tone::Heading, outlook.name(index)), fields(&details, look));
    }
    text
}

/// Who signs, and what is to do.
pub(crate) fn standing(outlook: &Outlook<'_>, look: Look) -> String {
    let state = remark("  ", &outlook.state(), look);
    let to_do: String = outlook.to_do().iter().map(|to_do| remark("  To do: ", to_do, look)).collect();
    format!("{state}{to_do}{}", left_aside(outlook, look))
}

/// What was found with the CAs and isn't used.
pub(crate) fn left_aside(outlook: &Outlook<'_>, look: Look) -> String {
    let left = outlook.pool.left_aside().into_iter();
    left.map(|left| remark("  Note: ", &(Tone::Ending, left), look)).collect()
}

/// The narrowest column in which a schedule's texts can be read.
const NARROWEST: usize = 40;

/// What comes, each with its time.
pub(crate) fn schedule(outlook: &Outlook<'_>, look: Look) -> String {
    let events = outlook.events();
    if events.is_empty() {
        return String::new();
    }
    let times: Vec<String> = events.iter().map(|event| minute_from_now(event.at, outlook.now)).collect();
    let margin = times.iter().map(|time| time.chars().count()).max().unwrap_or(0) + 4;
    let rows = events.iter().zip(&times).map(|(event, time)| {
        if margin + NARROWEST <= look.width {
            wrap_behind(&format!("  {time:<width$}", width = margin - 2), &event.text, look.width)
        } else {
            format!("  {time}\n{}", wrap_behind("    ", &event.text, look.width))
        }
    });
    format!("\n{}\n{}", look.paint(Tone::Heading, "What happens when"), rows.collect::<String>())
}

/// Its certificates, from the one that signs up to the root: each with what it is valid for.
pub(crate) fn details(authority: &CertificateAuthority) -> Vec<(&'static str, String)> {
    let (issuer, root) = (authority.issuer(), authority.root());
    let key = ("Key", authority.key().key_type().to_string());
    if authority.intermediates().is_empty() {
        return [("Root", issuer.subject()), key].into_iter().chain(identity(issuer)).collect();
    }
    let mut details = vec![("Issuer", issuer.subject()), key];
    details.extend(identity(issuer));
    for above in &authority.intermediates()[1..] {
        details.push(("under", above.subject()));
        details.extend(identity(above));
    }
    details.push(("Root", root.subject()));
    details.extend(identity(root));
    details
}

/// A sentence in its colour, in as many lines as it takes.
pub(crate) fn remark(beginning: &str, (tone, text): &Remark, look: Look) -> String {
    let hang = beginning.chars().count();
    let lines = wrap(text, look.width, hang);
    let painted = lines.iter().map(|line| {
        let text = line.trim_start();
        format!("{}{}", &line[..line.len() - text.len()], look.paint(*tone, text))
    });
    format!("{beginning}{}\n", painted.collect::<Vec<_>>().join("\n"))
}

/// What its certificates let those below them be. Whether that is enough for a signer,
/// `signer-manager check-config` and the manager itself say.
pub(crate) fn limits(authority: &CertificateAuthority, look: Look) -> String {
    let limits = authority.path().filter_map(|certificate| {
        let constraints = certificate.constraints()?;
        Some(("Limits", format!("{constraints} ({})", certificate.subject())))
    });
    fields(&limits.collect::<Vec<_>>(), look)
}

/// Its validity and fingerprint, and what it lets the certificates below it be.
fn identity(certificate: &CaCertificate) -> Vec<(&'static str, String)> {
    let limits = certificate.constraints().map(|constraints| ("Limits", constraints));
    let valid = format!("{} to {}", minute(certificate.not_before()), minute(certificate.not_after()));
    [("Valid", valid), ("SHA-256", certificate.fingerprint())].into_iter().chain(limits).collect()
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
