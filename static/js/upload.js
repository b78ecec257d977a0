// Uploads with progress and a clear reason for each refusal. Alpine (CSP build) draws the list.

let counter = 0;
const csrf = () => document.querySelector("input[name=csrfmiddlewaretoken]").value;

document.addEventListener("alpine:init", () => {
  window.Alpine.data("uploads", () => ({
    files: [],
    zone: "",
    over() { this.zone = "over"; },
    out() { this.zone = ""; },
    drop(event) { this.zone = ""; this.add(event.dataTransfer.files); },
    pick(event) { this.add(event.target.files); event.target.value = ""; },
    add(list) { for (const file of list) this.send(file); },
    send(file) {
      this.files.push({ id: ++counter, name: file.name, state: "Waiting", percent: 0, busy: true, reason: "" });
      const row = this.files[this.files.length - 1]; // the reactive copy
      const body = new FormData();
      body.append("files", file);
      const request = new XMLHttpRequest();
      request.open("POST", this.$root.dataset.url);
      request.setRequestHeader("X-CSRFToken", csrf());
      request.setRequestHeader("HX-Request", "true");
      request.upload.onprogress = (event) => {
        row.percent = event.lengthComputable ? (100 * event.loaded) / event.total : 0;
        row.state = row.percent >= 100 ? "Checking" : `${Math.round(row.percent)} %`;
      };
      request.onload = () => this.finish(row, request);
      request.onerror = () => this.refuse(row, "The connection was lost. Drop the file again.");
      request.send(body);
    },
    finish(row, request) {
      if (request.status === 422) return this.refuse(row, JSON.parse(request.responseText).message);
      if (request.status === 413) return this.refuse(row, "The file is larger than 500 MB. Shorten it or lower its bit rate.");
      if (request.status >= 300) return this.refuse(row, "The server could not take the file. Try again in a moment.");
      Object.assign(row, { state: "Added", busy: false });
      const target = document.querySelector(this.$root.dataset.target);
      const fresh = new DOMParser().parseFromString(request.responseText, "text/html").body.firstElementChild;
      target.replaceWith(fresh);
      window.htmx.process(fresh);
      setTimeout(() => { this.files = this.files.filter((file) => file.id !== row.id); }, 2500);
      document.dispatchEvent(new CustomEvent("assets-changed"));
    },
    refuse(row, reason) { Object.assign(row, { state: "Refused", busy: false, reason }); },
  }));
});
