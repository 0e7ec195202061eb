//! The page for people.

use std::{fs, process::Stdio};

use test_cluster::{Error, NewPod};
use tokio::process::Command;

use crate::{
    process::source,
    support::{ask, eventually, http::get, on_cluster, process::signer_manager, setup::Setup},
};

#[tokio::test]
async fn it_shows_what_each_signer_does_and_can_be_switched_off() -> Result<(), Error> {
    on_cluster(async |scope| {
        let signer = scope.signer_name("shown");
        let setup = Setup::new().signer(&signer, "kind: service-dns");
        let process = setup.spawn(scope.cluster());
        let (namespace, kubelet) = (scope.namespace("shop").await?, scope.kubelet().await?);
        let pod = NewPod::new(&namespace, "web-0").certificate(source(&signer));
        ask(&kubelet, pod).await?;
        let expected = [
            format!("<h2>{signer}</h2>"),
            "<strong>CA 1</strong>, active".to_owned(),
            "<h3>1 request waits</h3>".to_owned(),
            format!("<td class=\"short\">{namespace}</td><td class=\"short\">web-0</td><td class=\"short\">"),
            "<td>WaitingForService</td>".to_owned(),
            format!(
                "<td class=\"warn\">Pending: WaitingForService</td><td class=\"short\">{namespace}</td><td class=\"short\">web-0</td>"
            ),
        ];
        let page = async || get(process.http, "/").await.map_err(|error| error.to_string());
        eventually("the status page", async || {
            let page = page().await?.body;
            let lacks = expected.iter().find(|part| !page.contains(*part));
            lacks.map_or(Ok(()), |part| Err(format!("{part} isn't in\n{page}")))
        })
        .await;
        let page = page().await.unwrap().body;
        for (width, scheme) in [(360, None), (360, DARK), (1280, None), (1280, DARK)] {
            assert_eq!(flaws(&page, width, scheme).await, "none", "{width} {scheme:?}");
        }
        assert_ne!(flaws(&page.replace("#1b1f24", "#ddd"), 1280, None).await, "none", "it can't be read");
        let wide = page.replace("</main>", "<p style=\"width:100rem\">wide</p></main>");
        assert_ne!(flaws(&wide, 1280, None).await, "none", "it doesn't fit");
        let hidden = setup.spawn_by(signer_manager(), scope.cluster(), &["--status-page=false"]);
        hidden.ready().await;
        assert_eq!(get(hidden.http, "/").await.unwrap().code, 404);
        Ok(())
    })
    .await
}

const DARK: Option<&str> = Some("--force-dark-mode");

/// What keeps the page from being read in Chromium at this width: text that stands out too little from what is
/// behind it (WCAG 2.2, 1.4.3), and a page that is wider than its window.
async fn flaws(page: &str, width: u32, scheme: Option<&str>) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("page.html");
    let script = include_str!("flaws.js");
    fs::write(&file, page.replace("</body>", &format!("<script>{script}</script></body>"))).unwrap();
    let mut chromium = Command::new("chromium");
    chromium.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom"]);
    chromium
        .arg(format!("--window-size={width},900"))
        .arg(format!("--user-data-dir={}", dir.path().display()));
    chromium.args(scheme).arg(&file).stdin(Stdio::null()).kill_on_drop(true);
    let output = chromium.output().await.unwrap();
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let flaws = dom.split("data-flaws=\"").nth(1).and_then(|rest| rest.split('"').next());
    flaws.unwrap_or_else(|| panic!("{dom}\n{}", String::from_utf8_lossy(&output.stderr))).to_owned()
}
