"""@input_schema and @output_schema: conversion of arguments, and schemas for the description of the service."""

import functools
import inspect
from typing import Any, Callable

from . import schema_util
from .parameter_types.abstract_parameter_type import AbstractParameterType, InputMismatch


def input_schema(param_name: str, param_type: AbstractParameterType, convert_to_provided_type: bool = True, optional: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Describes one argument, and converts what comes for it from JSON."""
    _check(param_type)

    def decorate(run: Callable[..., Any]) -> Callable[..., Any]:
        names = list(inspect.signature(run).parameters)
        if param_name not in names:
            raise Exception(f'Error, provided param_name "{param_name}" is not in the decorated function.')
        position = names.index(param_name)
        schema = _schema(run)
        described = schema.setdefault("input", {"type": "object", "properties": {name: {} for name in names}, "example": {name: "" for name in names}})
        own = param_type.input_to_swagger()
        described["example"][param_name] = own.pop("example")
        described["properties"][param_name] = own

        @functools.wraps(run)
        def call(*args: Any, **kwargs: Any) -> Any:
            if convert_to_provided_type:
                try:
                    if param_name in kwargs:
                        kwargs[param_name] = _convert(param_type, kwargs[param_name], optional)
                    elif position < len(args):
                        args = args[:position] + (_convert(param_type, args[position], optional),) + args[position + 1:]
                except InputMismatch as error:
                    raise InputMismatch(f"'{param_name}': {error}") from None
            return run(*args, **kwargs)

        schema_util.remember(call, schema)
        return call

    return decorate


def output_schema(output_type: AbstractParameterType) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Describes the result."""
    _check(output_type)

    def decorate(run: Callable[..., Any]) -> Callable[..., Any]:
        schema = _schema(run)
        if "output" in schema:
            raise Exception(f"Error, output schema already defined for function: {run.__name__}.")
        schema["output"] = output_type.input_to_swagger()

        @functools.wraps(run)
        def call(*args: Any, **kwargs: Any) -> Any:
            return run(*args, **kwargs)

        schema_util.remember(call, schema)
        return call

    return decorate


def _convert(kind: AbstractParameterType, value: Any, optional: bool) -> Any:
    return None if optional and value is None else kind.deserialize_input(value)


def _check(kind: Any) -> None:
    if not isinstance(kind, AbstractParameterType):
        raise Exception("Error, provided param_type must be a subclass of the AbstractParameterType.")


def _schema(run: Callable[..., Any]) -> Any:
    return dict(getattr(run, schema_util.SCHEMA, {}))
