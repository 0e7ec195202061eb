use super::*;

#[test]
fn nothing_from_a_certificate_becomes_markup() {
    let evil = "<script>alert('&\"')</script>".to_owned();
    let report = Report {
        title: evil.clone(),
        unready: Some(evil.clone()),
        sections: vec![Section {
            heading: evil.clone(),
            problem: Some(evil.clone()),
            rows: vec![("names", evil)],
        }],
    };
    let page = page(&report);
    assert!(
        !page.contains("<script>") && page.contains("&lt;script&gt;alert(&#39;&amp;&quot;&#39;)"),
        "{page}"
    );
}
