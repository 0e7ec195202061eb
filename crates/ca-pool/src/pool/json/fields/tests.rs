use super::*;

#[test]
fn names_that_say_who_signs_are_known() {
    for name in [
        "ActiveForSigning",
        "activeforsigning",
        "Signer",
        "signing_ca",
        "PrimaryID",
        "current",
        "DefaultCA",
        "IssuingCA",
        "State",
        "status",
        "caState",
        "Role",
        "use-for",
        "IndexOfCA",
        "Index",
        "Enabled",
        "Order",
        "Priority",
        "Next",
        "Leader",
        "RetiredAt",
        "Revoked",
        "MainCA",
        "Mode",
        "Purpose",
        "TrustOnly",
        "DeletedAt",
        "ValidFrom",
        "AdditionalTrustAnchorsDER",
    ] {
        assert!(says_who_signs(name), "{name}");
    }
    for name in [
        "Later",
        "LaterToo",
        "Comment",
        "Description",
        "CreatedAt",
        "TrustDomain",
        "Cause",
        "x-active",
        "X-Signer",
    ] {
        assert!(!says_who_signs(name), "{name}");
    }
}

#[test]
fn names_are_compared_as_go_does() {
    assert_eq!(folded("CA\u{17f}"), folded("CAs"));
    assert_eq!(folded("signing\u{212a}ey"), folded("SigningKey"));
    assert_ne!(folded("CÄs"), folded("CAs"));
}
