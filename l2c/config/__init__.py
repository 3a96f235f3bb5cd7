"""The operator's files: strict YAML, models of systems, entities, flows and mappings, and the project that holds them."""

from l2c.config.connections import env_connection, variable_of
from l2c.config.entities import EntityConfig, FieldConfig
from l2c.config.flows import Brake, CaptureConfig, DistributeConfig, ErrorBudget, FlowConfig, OwnerChoice, Retries
from l2c.config.loader import Block, Row, load_file, load_text
from l2c.config.logins import Login, env_login
from l2c.config.mappings import MERGED_INTO, Action, MappingConfig, Rule, SafeBy, ValueMapConfig
from l2c.config.problems import Finding, Mark, Severity, finding, findings_of, near_miss
from l2c.config.project import Project
from l2c.config.schedules import Schedule, check_cron, parse_duration
from l2c.config.systems import BreakerConfig, InboxConfig, SystemConfig

__all__ = [
    "MERGED_INTO",
    "Action",
    "Block",
    "Brake",
    "BreakerConfig",
    "CaptureConfig",
    "DistributeConfig",
    "EntityConfig",
    "ErrorBudget",
    "FieldConfig",
    "Finding",
    "FlowConfig",
    "InboxConfig",
    "Login",
    "MappingConfig",
    "Mark",
    "OwnerChoice",
    "Project",
    "Retries",
    "Row",
    "Rule",
    "SafeBy",
    "Schedule",
    "Severity",
    "SystemConfig",
    "ValueMapConfig",
    "check_cron",
    "env_connection",
    "env_login",
    "finding",
    "findings_of",
    "load_file",
    "load_text",
    "near_miss",
    "parse_duration",
    "variable_of",
]
