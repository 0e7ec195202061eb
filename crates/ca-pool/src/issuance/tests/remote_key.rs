//! CAs whose key isn't in this process: here it lives in another thread.

use std::{
    sync::mpsc::{Sender, channel},
    thread,
    time::Duration,
};

use futures::channel::oneshot;

use super::*;
use crate::{CaKey, CaKeyError, CaPool, Signing, SigningKey, SigningKeyType};

/// What the holder of the key does with a message.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Holder {
    Signs,
    SignsSlowly,
    Fails,
    SignsSomethingElse,
    SignsWithAnotherKey,
    Returns(&'static [u8]),
}

type Task = (Vec<u8>, oneshot::Sender<Result<Vec<u8>, CaKeyError>>);

#[derive(Debug)]
struct RemoteKey {
    spki: Vec<u8>,
    key_type: SigningKeyType,
    tasks: Sender<Task>,
}

impl RemoteKey {
    fn new(key: SigningKey, holder: Holder) -> Self {
        let (tasks, received) = channel::<Task>();
        let (spki, key_type) = (key.spki_der().to_vec(), key.key_type());
        thread::spawn(move || {
            for (message, answer) in received {
                let _ = answer.send(signature(&key, holder, &message));
            }
        });
        Self { spki, key_type, tasks }
    }
}

fn signature(key: &SigningKey, holder: Holder, message: &[u8]) -> Result<Vec<u8>, CaKeyError> {
    match holder {
        Holder::Signs => Ok(key.sign(message)?),
        Holder::SignsSlowly => {
            thread::sleep(Duration::from_millis(50));
            Ok(key.sign(message)?)
        }
        Holder::Fails => Err(CaKeyError::new("the HSM is locked")),
        Holder::SignsSomethingElse => Ok(key.sign(b"something else")?),
        Holder::SignsWithAnotherKey => Ok(SigningKey::generate(key.key_type())?.sign(message)?),
        Holder::Returns(bytes) => Ok(bytes.to_vec()),
    }
}

impl CaKey for RemoteKey {
    fn key_type(&self) -> SigningKeyType {
        self.key_type
    }

    fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        let (answer, answered) = oneshot::channel();
        let sent = self.tasks.send((message.to_vec(), answer));
        Box::pin(async move {
            sent.map_err(|_| CaKeyError::new("its holder is gone"))?;
            answered.await.map_err(|_| CaKeyError::new("its holder is gone"))?
        })
    }
}

fn authority(holder: Holder) -> CertificateAuthority {
    let root = TestCa::root("root");
    let key = RemoteKey::new(root.signing_key(), holder);
    CertificateAuthority::new("1", key, vec![], vec![root.certificate()]).unwrap()
}

#[test]
fn a_key_elsewhere_signs_as_one_here_does() {
    for holder in [Holder::Signs, Holder::SignsSlowly] {
        let authority = authority(holder);
        let issued = issue_at(&server(), &Terms::default(), &authority, now()).unwrap();
        let issued_as = crate::CaCertificate::from_der("leaf", &issued.leaf_der);
        assert!(issued_as.is_ok() && issued.authority_id == "1", "{holder:?}");
    }
}

#[test]
fn a_key_that_fails_makes_the_authority_unavailable() {
    let error = refused(&server(), &authority(Holder::Fails));
    assert!(error.is_authority_unavailable());
    assert_eq!(error.to_string(), "the CA's key doesn't sign: the HSM is locked");
}

#[test]
fn a_wrong_signature_is_caught_before_anybody_sees_the_certificate() {
    for holder in [
        Holder::SignsSomethingElse,
        Holder::SignsWithAnotherKey,
        Holder::Returns(b""),
        Holder::Returns(&[0x30, 0x06, 2, 1, 0, 2, 1, 0]),
    ] {
        let error = refused(&server(), &authority(holder));
        assert!(matches!(error, IssueError::WrongSignature { .. }), "{holder:?}: {error}");
        assert!(error.is_authority_unavailable(), "{holder:?}");
    }
}

#[test]
fn a_key_elsewhere_is_not_written_into_a_pool() {
    let pool = CaPool::new(vec![authority(Holder::Signs)]).unwrap();
    let error = pool.to_json().unwrap_err().to_string();
    assert_eq!(error, "the key of CA \"1\" is held elsewhere, so it can't be written into a pool");
    assert!(pool.fitness(&[]).is_of_use(0), "its examples are signed as all else is");
}
