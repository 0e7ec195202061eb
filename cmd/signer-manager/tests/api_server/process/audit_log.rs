//! Audit records in a file of their own.

use serde_json::Value;
use test_cluster::{Error, NewPod};

use crate::{
    process::{SPIFFE, source},
    support::{
        ask,
        events::assert_says,
        eventually, on_cluster,
        process::{Process, signer_manager},
        setup::Setup,
    },
};

#[tokio::test]
async fn records_stand_in_the_file_and_not_in_the_log() -> Result<(), Error> {
    on_cluster(async |scope| {
        let signer = scope.signer_name("audited");
        let setup = Setup::new().signer(&signer, SPIFFE);
        let path = setup.dir.path().join("audit.log");
        // whatever else is logged
        let further = ["--audit-log-path", path.to_str().unwrap(), "--log", "warn"];
        let mut process = setup.spawn_by(signer_manager(), scope.cluster(), &further);
        let (namespace, kubelet) = (scope.namespace("shop").await?, scope.kubelet().await?);
        let (_, request) =
            ask(&kubelet, NewPod::new(&namespace, "web-0").certificate(source(&signer))).await?;
        request.outcome(crate::support::SOON).await?.issued()?;
        process.terminate();
        assert!(process.ended().await.success());
        let text = std::fs::read_to_string(&path).unwrap();
        let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [record] = records.as_slice() else { panic!("{text}") };
        let expected =
            [("target", "audit"), ("outcome", "Issued"), ("pod", "web-0"), ("namespace", &namespace)];
        for (field, value) in expected {
            assert_eq!(record[field], value, "{text}");
        }
        assert_eq!(process.audit("Issued"), Vec::<Value>::new());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn on_a_full_disk_they_stand_in_the_log_which_says_so() -> Result<(), Error> {
    on_cluster(async |scope| {
        let signer = scope.signer_name("audited");
        let setup = Setup::new().signer(&signer, SPIFFE);
        let further = ["--audit-log-path", "/dev/full"];
        let process: Process = setup.spawn_by(signer_manager(), scope.cluster(), &further);
        let (namespace, kubelet) = (scope.namespace("shop").await?, scope.kubelet().await?);
        ask(&kubelet, NewPod::new(&namespace, "web-0").certificate(source(&signer))).await?;
        eventually("the record in the log", async || match process.audit("Issued").as_slice() {
            [record] if record["pod"] == "web-0" => Ok(()),
            others => Err(format!("{others:?}")),
        })
        .await;
        assert_says(
            &process.log_text(),
            &["the audit file /dev/full can't be written: No space left on device"],
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_file_that_cannot_be_made_is_said_at_the_start() {
    let setup = Setup::new().signer("a.example.test/a", SPIFFE);
    let (config, path) = (setup.write(), setup.dir.path().join("none/audit.log"));
    let mut command = signer_manager();
    command.arg("--config").arg(config).arg("--audit-log-path").arg(&path);
    let output = command.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_says(&said, &[&format!("--audit-log-path {}", path.display()), "No such file or directory"]);
}
