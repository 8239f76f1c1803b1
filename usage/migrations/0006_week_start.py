"""The day on which weeks of budgets begin."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0005_exports"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="week_start",
            field=models.PositiveSmallIntegerField(
                choices=[
                    (1, "Monday"),
                    (2, "Tuesday"),
                    (3, "Wednesday"),
                    (4, "Thursday"),
                    (5, "Friday"),
                    (6, "Saturday"),
                    (7, "Sunday"),
                ],
                default=1,
                help_text="The day on which weekly budgets begin.",
            ),
        ),
    ]
