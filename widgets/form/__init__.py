"""Forms made from a struct's schema."""

from widgets.form.fields import Value
from widgets.form.form import FormError, ParameterForm

__all__ = ["FormError", "ParameterForm", "Value"]
