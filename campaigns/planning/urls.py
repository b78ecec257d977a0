"""Addresses of the plan board, below a brief."""

from django.urls import path

from campaigns.planning import ask_views, check_views, views

urlpatterns = [
    path("estimate", views.estimate, name="brief-estimate"),
    path("plan", views.plan, name="plan"),
    path("plan/checks", check_views.checks, name="plan-checks"),
    path("plan/make", views.make, name="plan-make"),
    path("plan/ask", ask_views.ask, name="plan-ask"),
    path("plan/asked", ask_views.asked, name="plan-asked"),
    path("plan/launch", views.launch, name="plan-launch"),
    path("plan/apply", views.apply, name="plan-apply"),
    path("plan/fix", views.fix, name="plan-fix"),
    path("plan/saving", views.save_money, name="plan-saving"),
    path("plan/restore", views.restore, name="plan-restore"),
    path("plan/order", views.order, name="plan-order"),
    path("plan/scenes/add", views.add_scene, name="plan-scene-add"),
    path("plan/scenes/<slug:key>", views.scene, name="plan-scene"),
    path("plan/scenes/<slug:key>/do", views.scene_do, name="plan-scene-do"),
    path("plan/branches/add", views.add_branch, name="plan-branch-add"),
    path("plan/branches/<slug:key>", views.branch, name="plan-branch"),
    path("plan/clips/<slug:scene_key>/<slug:branch_key>", views.clip, name="plan-clip"),
]
