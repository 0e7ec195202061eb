//! What somebody has to do about a pool.

use std::time::Duration;

use ca_pool::{
    ACTIVATION_GRACE, Assessment, BUNDLE_PROPAGATION, Finding, MAX_LEAF_LIFETIME, PoolWarning, SigningWindow,
    Terms,
};
use jiff::Timestamp;

use crate::terminal::Tone;
use crate::{
    report::outlook::{Outlook, Remark, name},
    text::times::{earlier, later, minute_from_now},
};

/// A CA that lives long is replaced this long before its end.
const IN_GOOD_TIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// What `import` needs, to be filled in.
const IMPORTED: &str = " --cert-file <PATH> --key-file <PATH> --root-file <PATH>";

impl Outlook<'_> {
    /// What somebody has to do, the most urgent first.
    pub(crate) fn to_do(&self) -> Vec<Remark> {
        let Assessment { warnings, findings, .. } = &self.assessment;
        let mut to_do: Vec<Remark> =
            warnings.iter().map(|(index, warning)| self.remark(*index, warning)).collect();
        if to_do.is_empty() {
            to_do.extend(self.rotation_due());
        }
        let tone = |finding: &Finding| if finding.is_outage() { Tone::Bad } else { Tone::Ending };
        to_do.extend(findings.iter().map(|finding| (tone(finding), finding.to_string())));
        let gone = self.pool.removable(self.now);
        if !gone.is_empty() {
            let by = if self.pool.is_rotated_automatically() {
                ". The manager that keeps the pool (rotation: automatic) removes what it knows to be unused"
                    .to_owned()
            } else {
                self.by("prune")
            };
            let names: Vec<String> = gone.into_iter().map(name).collect();
            let verb = if names.len() == 1 { "is" } else { "are" };
            to_do.push((Tone::Ending, format!("{} {verb} of no use any more{by}", names.join(" and "))));
        }
        if to_do.is_empty() {
            let next = self.events().into_iter().find(|event| event.needs_somebody);
            let until = next
                .map_or_else(String::new, |event| format!(" before {}", minute_from_now(event.at, self.now)));
            to_do.push((Tone::Good, format!("Nothing{until}.")));
        }
        to_do
    }

    fn remark(&self, index: usize, warning: &PoolWarning) -> Remark {
        let (name, rotate) = (self.name(index), self.by_replacing(index));
        let text = match warning {
            PoolWarning::Expired { not_after, .. } => {
                format!("{name} expired at {}. Replace it{rotate}", minute_from_now(*not_after, self.now))
            }
            PoolWarning::NotYetValid { not_before, .. } => {
                format!(
                    "{name} isn't valid before {}. Wait, or replace it{rotate}",
                    minute_from_now(*not_before, self.now)
                )
            }
            PoolWarning::Ending { not_after, .. } if *not_after < later(self.now, Terms::LEAST_LIFETIME) => {
                format!(
                    "{name} ends at {}, too soon for even the shortest certificate (1h). Replace it now{rotate}",
                    minute_from_now(*not_after, self.now)
                )
            }
            PoolWarning::Ending { not_after, .. } => format!(
                "{name} ends at {}, and its certificates with it: they get shorter and shorter. Replace it now{rotate}",
                minute_from_now(*not_after, self.now)
            ),
            PoolWarning::Shortened { not_after, until, .. } => {
                let text = format!(
                    "{name} ends at {}, and its certificates with it: they get shorter until the next CA signs, at {}",
                    minute_from_now(*not_after, self.now),
                    minute_from_now(*until, self.now)
                );
                return (Tone::Ending, text);
            }
            PoolWarning::NobodyYet { from, .. } => format!(
                "Nobody signs before {}, when {name} becomes active. Add one that signs until then{rotate}",
                minute_from_now(*from, self.now)
            ),
            other => other.to_string(),
        };
        (Tone::Bad, text)
    }

    fn rotation_due(&self) -> Option<Remark> {
        let (last, due) = self.rotate_by()?;
        if self.now < due {
            return None;
        }
        let latest = earlier(self.windows()[last].not_after, self.reserve(last));
        let (name, rotate) = (self.name(last), self.by_replacing(last));
        if self.pool.is_rotated_automatically() {
            let end = minute_from_now(self.windows()[last].not_after, self.now);
            let text = format!(
                "{name} ends at {end}, and the manager that keeps the pool (rotation: automatic) hasn't replaced it yet. Look at its /readyz; where it doesn't keep the pool any more, replace \
                 {name}{rotate}"
            );
            return Some((Tone::Ending, text));
        }
        Some(if latest <= self.now {
            let end = minute_from_now(self.windows()[last].not_after, self.now);
            (Tone::Bad, format!("Replace {name} now, it ends at {end}{rotate}"))
        } else {
            (Tone::Ending, format!("Replace {name} before {}{rotate}", minute_from_now(latest, self.now)))
        })
    }

    /// The CA that has no successor, and when it should get one.
    pub(crate) fn rotate_by(&self) -> Option<(usize, Timestamp)> {
        let last = self.last()?;
        let SigningWindow { not_before, not_after, .. } = self.windows()[last];
        let life = not_after.duration_since(not_before).unsigned_abs();
        Some((last, earlier(not_after, self.reserve(last).max(IN_GOOD_TIME.min(life / 3)))))
    }

    /// What a successor needs of the life of the one before it: to get known, late if it must be, while that
    /// one's leaves live. Where its certificates' lifetime isn't recorded, the longest that the API allows is
    /// taken into account only as far as the CA's own life allows: one that is valid for 90 days isn't due
    /// from its first day on.
    fn reserve(&self, index: usize) -> Duration {
        let SigningWindow { max_leaf_lifetime, not_before, not_after, .. } = self.windows()[index];
        let reserve = max_leaf_lifetime.unwrap_or(MAX_LEAF_LIFETIME) + ACTIVATION_GRACE + BUNDLE_PROPAGATION;
        match max_leaf_lifetime {
            Some(_) => reserve,
            None => reserve.min(not_after.duration_since(not_before).unsigned_abs() / 6),
        }
    }

    /// The command that adds a CA after this one. An intermediate is followed by another under the same root,
    /// which only who has that root's key can make.
    pub(crate) fn by_replacing(&self, index: usize) -> String {
        if !self.pool.authority(index).is_intermediate() {
            return self.by("rotate");
        }
        let files = if self.arguments.is_some() { IMPORTED } else { "" };
        let root = self.pool.authority(index).root().subject();
        format!(" (an intermediate under {root}){}{files}", self.by("import"))
    }

    /// The command that does it.
    pub(crate) fn by(&self, command: &str) -> String {
        let arguments = self.arguments.as_ref();
        arguments.map_or_else(String::new, |arguments| format!(": signerctl ca-pool {command} {arguments}"))
    }
}
