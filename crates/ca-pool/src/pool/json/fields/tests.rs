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
