//! Executions of the state machine.

use aws_sdk_sfn::Client;
use aws_sdk_sfn::types::ExecutionStatus as Status;
use pipeline::ports::{CallError, ExecutionStatus, Executions, Failure};

use crate::call::Call;
use crate::gate::Gate;

/// One state machine.
#[derive(Debug, Clone)]
pub struct StateMachine {
    client: Client,
    gate: Gate,
    arn: String,
}

impl StateMachine {
    pub(crate) const fn new(client: Client, gate: Gate, arn: String) -> Self {
        Self { client, gate, arn }
    }

    /// `...:stateMachine:NAME` to `...:execution:NAME:EXECUTION`.
    fn execution(&self, name: &str) -> String {
        format!("{}:{name}", self.arn.replacen(":stateMachine:", ":execution:", 1))
    }
}

impl Executions for StateMachine {
    async fn start(&self, name: &str, input: &str) -> Result<(), CallError> {
        let request =
            self.client.start_execution().state_machine_arn(&self.arn).name(name).input(input);
        match self.gate.send(Call::StartExecution, request.send()).await {
            Ok(_) => Ok(()),
            Err(error) if is(&error, "ExecutionAlreadyExists") => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn status(&self, name: &str) -> Result<ExecutionStatus, CallError> {
        let call = Call::DescribeExecution;
        let request = self.client.describe_execution().execution_arn(self.execution(name));
        let answer = match self.gate.send(call, request.send()).await {
            Ok(answer) => answer,
            Err(error) if is(&error, "ExecutionDoesNotExist") => {
                return Ok(ExecutionStatus::Unknown);
            }
            Err(error) => return Err(error),
        };
        #[allow(
            clippy::wildcard_enum_match_arm,
            reason = "the SDK's enum may grow, and is not ours"
        )]
        match answer.status() {
            Status::Running | Status::PendingRedrive => Ok(ExecutionStatus::Running),
            Status::Succeeded | Status::Failed | Status::Aborted | Status::TimedOut => {
                Ok(ExecutionStatus::Ended)
            }
            other => Err(call.error(
                Failure::Other,
                "UnknownStatus",
                format!("the execution has the status `{}`", other.as_str()),
            )),
        }
    }
}

fn is(error: &CallError, code: &str) -> bool {
    error.code.strip_suffix("Exception").unwrap_or(&error.code) == code
}
