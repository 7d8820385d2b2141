//! Crashes: a function that is gone at one of its awaits.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

/// Runs `work`, and drops it at its poll number `at` (from 1) unless it is done by then.
///
/// `None` says that it crashed. Every call of a fake waits at least once, so that a crash may
/// fall before, between and after any two calls, and after a call took effect but before its
/// answer arrived.
pub async fn crashing<T>(work: impl Future<Output = T>, at: Option<usize>) -> Option<T> {
    let mut work = pin!(work);
    let mut polls = 0_usize;
    std::future::poll_fn(|context| {
        polls += 1;
        if Some(polls) == at {
            return Poll::Ready(None);
        }
        work.as_mut().poll(context).map(Some)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_stops_at_the_chosen_await() {
        let done = std::cell::Cell::new(0);
        let work = async || {
            for _ in 0..3 {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                done.set(done.get() + 1);
            }
        };
        assert_eq!(crashing(work(), Some(3)).await, None);
        assert_eq!(done.get(), 1);
        assert_eq!(crashing(work(), None).await, Some(()));
    }
}
