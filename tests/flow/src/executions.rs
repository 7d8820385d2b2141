//! Executions of the state machine, as Step Functions keeps them.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use pipeline::ports::{CallError, ExecutionStatus, Executions};

use crate::faults::Faults;

/// What was started and how it stands.
#[derive(Debug, Default)]
pub struct FakeExecutions {
    state: RefCell<ExecutionsState>,
    /// What goes wrong.
    pub faults: Faults,
}

#[derive(Debug, Default)]
struct ExecutionsState {
    running: BTreeMap<String, bool>,
    started: VecDeque<(String, String)>,
}

impl FakeExecutions {
    /// The next execution that was started and not taken yet: its name and input.
    pub fn take(&self) -> Option<(String, String)> {
        self.state.borrow_mut().started.pop_front()
    }

    /// Marks an execution as ended.
    pub fn end(&self, name: &str) {
        self.state.borrow_mut().running.insert(name.to_owned(), false);
    }

    /// How many are running.
    #[must_use]
    pub fn running(&self) -> usize {
        self.state.borrow().running.values().filter(|running| **running).count()
    }
}

impl Executions for FakeExecutions {
    async fn start(&self, name: &str, input: &str) -> Result<(), CallError> {
        self.faults.before("states:StartExecution").await?;
        {
            let mut state = self.state.borrow_mut();
            // A name is taken for 90 days, whatever became of its execution.
            if !state.running.contains_key(name) {
                state.running.insert(name.to_owned(), true);
                state.started.push_back((name.to_owned(), input.to_owned()));
            }
        }
        self.faults.after("states:StartExecution").await
    }

    async fn status(&self, name: &str) -> Result<ExecutionStatus, CallError> {
        self.faults.before("states:DescribeExecution").await?;
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(match self.state.borrow().running.get(name) {
            None => ExecutionStatus::Unknown,
            Some(true) => ExecutionStatus::Running,
            Some(false) => ExecutionStatus::Ended,
        })
    }
}
