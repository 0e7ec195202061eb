//! What became of a request.

use jiff::Timestamp;
use serde_json::Value;

use crate::Error;

/// A signer's final word on a request. A pending request has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The certificate was issued.
    Issued(IssuedStatus),
    /// The request was denied, for good.
    Denied {
        /// CamelCase, for machines.
        reason: String,
        /// For the pod's author.
        message: String,
    },
    /// The signer gave up. Ours never does.
    Failed {
        /// CamelCase, for machines.
        reason: String,
        /// For the pod's author.
        message: String,
    },
}

/// The status fields of an issued request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedStatus {
    /// PEM certificates, the leaf first.
    pub chain_pem: String,
    /// Equal to the leaf's.
    pub not_before: Timestamp,
    /// Equal to the leaf's.
    pub not_after: Timestamp,
    /// From when on kubelet asks again.
    pub begin_refresh_at: Timestamp,
}

impl Outcome {
    /// Reads the outcome from a whole PodCertificateRequest; `None` while it is pending.
    ///
    /// # Errors
    /// [`Error::Unexpected`] if the status is not as the platform has it: exactly one condition, which is
    /// true, and certificate fields if and only if it is `Issued`.
    pub fn of(request: &Value) -> Result<Option<Self>, Error> {
        let status = &request["status"];
        let conditions = status["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let broken =
            |why: String| Error::Unexpected { what: format!("request {}", request["metadata"]["name"]), why };
        let fields: Vec<_> =
            status.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let certificate_fields = fields.iter().filter(|name| **name != "conditions").count();
        let condition = match conditions {
            [] if certificate_fields == 0 => return Ok(None),
            [one] if one["status"] == "True" => one,
            _ => return Err(broken(format!("one true condition expected in {status}"))),
        };
        let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
        let (reason, message) = (text("reason"), text("message"));
        match condition["type"].as_str() {
            Some("Issued") => {
                IssuedStatus::of(status).map(|issued| Some(Self::Issued(issued))).map_err(broken)
            }
            _ if certificate_fields > 0 => Err(broken(format!("more than a condition in {status}"))),
            Some("Denied") => Ok(Some(Self::Denied { reason, message })),
            Some("Failed") => Ok(Some(Self::Failed { reason, message })),
            _ => Err(broken(format!("unknown condition in {status}"))),
        }
    }

    /// The issued certificate.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with the reason and message of a denial.
    pub fn issued(self) -> Result<IssuedStatus, Error> {
        match self {
            Self::Issued(status) => Ok(status),
            other => Err(Error::Unexpected {
                what: "an issued request expected".into(),
                why: format!("{other:?}"),
            }),
        }
    }

    /// Reason and message of a denial.
    ///
    /// # Errors
    /// [`Error::Unexpected`] if it was not denied.
    pub fn denied(self) -> Result<(String, String), Error> {
        match self {
            Self::Denied { reason, message } => Ok((reason, message)),
            other => {
                Err(Error::Unexpected { what: "a denied request expected".into(), why: format!("{other:?}") })
            }
        }
    }
}

impl IssuedStatus {
    fn of(status: &Value) -> Result<Self, String> {
        let time = |field: &str| {
            let text = status[field].as_str().ok_or_else(|| format!("no {field} in {status}"))?;
            text.parse().map_err(|error| format!("{field} {text:?}: {error}"))
        };
        Ok(Self {
            chain_pem: status["certificateChain"]
                .as_str()
                .ok_or("an issued request without a chain")?
                .to_owned(),
            not_before: time("notBefore")?,
            not_after: time("notAfter")?,
            begin_refresh_at: time("beginRefreshAt")?,
        })
    }
}

#[cfg(test)]
mod tests;
