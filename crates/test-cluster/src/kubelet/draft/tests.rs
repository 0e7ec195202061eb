use super::*;

#[test]
fn the_object_is_named_as_kubelets() {
    let object = to_object(&request_resource("v1"), json!({"podName": "shop-0"}));
    let value = serde_json::to_value(&object).unwrap();
    assert_eq!(value["apiVersion"], "certificates.k8s.io/v1");
    assert_eq!(value["metadata"]["generateName"], "req-");
    assert_eq!(value["spec"]["podName"], "shop-0");
}
