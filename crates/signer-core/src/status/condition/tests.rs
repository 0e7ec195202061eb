use super::*;
use crate::decision::Grounds;

fn replica() -> ReplicaName {
    ReplicaName::new("signer-manager-0", [1; 4])
}

#[test]
fn a_denial_carries_nothing_but_its_condition() {
    let message = "ä".repeat(5000);
    let denial = Denial { reason: reasons::POD_NOT_FOUND, message, grounds: Grounds::Fixed };
    let now: Timestamp = "2026-01-01T00:00:00.7Z".parse().unwrap();
    let status = denied(&denial, &replica(), now);
    assert!(is_final(Some(&status)));
    let json = serde_json::to_value(&status).unwrap();
    assert_eq!(json.as_object().unwrap().keys().collect::<Vec<_>>(), ["conditions"]);
    let message = &status.conditions[0].message;
    assert!(message.len() <= 4096 && message.ends_with("ä…; replica signer-manager-0/01010101"), "{message}");
    assert_eq!(finished_by(Some(&status)), Some(replica()));
    assert_eq!(status.conditions[0].last_transition_time.0.to_string(), "2026-01-01T00:00:00Z");
}

#[test]
fn only_the_three_conditions_are_final() {
    assert!(!is_final(None) && !is_final(Some(&PodCertificateRequestStatus::default())));
    for (type_, is_final_one) in [("Issued", true), ("Denied", true), ("Failed", true), ("Other", false)] {
        let conditions = vec![condition(type_, "R", "", &replica(), Timestamp::UNIX_EPOCH)];
        let status = PodCertificateRequestStatus { conditions, ..Default::default() };
        assert_eq!(is_final(Some(&status)), is_final_one, "{type_}");
    }
}
